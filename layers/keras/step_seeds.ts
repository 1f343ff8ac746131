import {seedOfStep} from '../../src/attention/dropout';
import {checkSeed} from '../../src/check/numbers';

/** A new seed for each training step; the same ones again for the same first seed. */
export class StepSeeds {
  private step = 0;
  private readonly start: number;

  /** @param first null for a random start */
  constructor(
    fn: string,
    readonly first: number | null,
  ) {
    this.start = first === null ? Math.floor(Math.random() * 2 ** 32) : checkSeed(fn, first);
  }

  next(): number {
    return seedOfStep(this.start, this.step++);
  }
}
