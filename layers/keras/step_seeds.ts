import {seedOfStep} from '../../src/attention/dropout';
import {checkSeed} from '../../src/check/numbers';

/** A new seed for each training step; the same ones again for the same first seed. */
export class StepSeeds {
  private step = 0;
  private weights = 0;
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

  /** The seed of the next weight to be made, apart from those of the steps; null for a random one. */
  ofWeight(): number | null {
    return this.first === null ? null : seedOfStep(~this.start >>> 0, this.weights++);
  }

  /** A number of 0 … count − 1, another with each weight made, and the same for the same first seed. */
  anyOf(count: number): number {
    return seedOfStep(this.start, ~this.weights >>> 0) % count;
  }
}
