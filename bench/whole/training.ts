/** Training as every candidate does it, and whether it did. */
import {FIRST_STEPS} from './models';

/** Trains on a batch, by its number, and gives the loss before it. */
export type Step = (batch: number) => Promise<number>;

/** Before each of the first steps, and after them. */
export type Losses = readonly number[];

export interface Trained {
  losses: Losses;
  /** Of the last one. */
  ms: number;
}

/** Takes the first steps. */
export async function begin(step: Step): Promise<Trained> {
  const losses: number[] = [];
  for (let at = 0; at < FIRST_STEPS; at++) losses.push(await step(at));
  const start = performance.now();
  losses.push(await step(0));
  return {losses, ms: performance.now() - start};
}

/** More of them: ms of one. */
export async function timed(step: Step, calls: number): Promise<number> {
  const start = performance.now();
  for (let call = 0; call < calls; call++) await step((call + 1) % FIRST_STEPS);
  return (performance.now() - start) / calls;
}

/**
 * Relative. Weights that differ in their last bit come to losses that differ by 6e-6 after ten steps,
 * PyTorch's sums in other orders to 4e-5; an ε of layerNormalization of 1e-5 where 1e-3 is right, to 4e-4.
 */
export const LARGEST_DIFFERENCE = 1e-4;

/** Between losses, relative; and what is wrong if it is too large. */
export function differenceOf(
  expected: Losses,
  losses: Losses,
): {largest: number; wrong: string | null} {
  const differences = expected.map((loss, at) => Math.abs(losses[at] - loss) / loss);
  const at = differences.findIndex((difference) => !(difference <= LARGEST_DIFFERENCE));
  const wrong = at < 0 ? null : `failed: loss ${at} is ${losses[at]}, not ${expected[at]}`;
  return {largest: Math.max(...differences), wrong};
}
