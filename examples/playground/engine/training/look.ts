/** How far a model is: what it makes of held-out text, and a line that it writes. */
import type {Corpus} from '../../../char_lm/split';
import type {Report} from './events';
import {heldOutBits} from './held_out';
import {sampleOf} from './line';
import type {Pupil} from './pupil';

/** Of the time, at most a tenth goes into looking. */
const LOOKS = 9;
const LEAST_MS = {look: 1500, sample: 4000};

export class Look {
  private next = performance.now() + LEAST_MS.look;
  private nextSample = 0;

  /** @param prompt of the lines @param goesOn false breaks a look off */
  constructor(
    private readonly corpus: Corpus,
    private readonly prompt: string,
    private readonly goesOn: () => boolean,
    private readonly report: Report,
  ) {}

  isDue(): boolean {
    return performance.now() >= this.next;
  }

  /** False where it was broken off, and is to be taken again. @param last with a line in any case */
  async take(pupil: Pupil, last: boolean): Promise<boolean> {
    const begin = performance.now();
    const bits = await heldOutBits(pupil.written, this.corpus, this.goesOn);
    if (bits === null) return false;
    pupil.bits = bits;
    const step = pupil.steps;
    this.report({kind: 'heldOut', step, bits});
    if (last || performance.now() >= this.nextSample) {
      const sample = await sampleOf(pupil.written, this.prompt, this.goesOn);
      this.report({kind: 'sample', step, ...sample});
      this.nextSample = performance.now() + LEAST_MS.sample;
    }
    const took = performance.now() - begin;
    this.next = performance.now() + Math.max(LEAST_MS.look, LOOKS * took);
    return true;
  }
}
