/** What the original answered: the numbers in golden.generated.ts, and how they are read. */
import type {LocalAttentionArgs} from '../attention/config';
import type {Generator} from './inputs';

/** Made by scripts/golden.py. */
export interface GoldenCase {
  name: string;
  config: LocalAttentionArgs;
  /** Of q and k: batch, heads, n, d. */
  shape: readonly number[];
  /** dv; d if absent. */
  valueDim?: number;
  /** Whether there is a mask [batch, n], and a bias [heads, w, C]. */
  mask?: boolean;
  bias?: boolean;
  /** In the order of {@link RESULTS}, the last where there is a bias. */
  results: readonly GoldenResult[];
}

/** The largest magnitude; the sum under drawn signs; base64 of some of the numbers, in 24 bits each. */
export type GoldenResult = readonly [largest: number, sum: number, numbers: string];

export const RESULTS = ['out', 'dq', 'dk', 'dv', 'dAttnBias'];

const STEPS = 2 ** 23;

/**
 * How far `got` is from the original, as a part of its largest number, or a sentence where that is
 * no number. Draws the places and the signs as scripts/golden.py has drawn them.
 */
export function errorOf(
  got: ArrayLike<number>,
  [largest, sum, numbers]: GoldenResult,
  generator: Generator,
): number | string {
  const bytes = atob(numbers);
  let error = 0;
  for (let at = 0; at < bytes.length; at += 3) {
    const [high, middle, low] = [0, 1, 2].map((i) => bytes.charCodeAt(at + i));
    const want = ((high * 256 + middle) * 256 + low - STEPS) / (STEPS - 1);
    error = Math.max(error, Math.abs(got[generator.below(got.length)] / largest - want));
  }
  let total = 0;
  let lost = 0;
  for (let i = 0; i < got.length; i++) {
    total += (1 - 2 * generator.below(2)) * got[i];
    if (!Number.isFinite(got[i])) lost++;
  }
  if (lost > 0) return `${lost} of ${got.length} numbers are NaN or infinite`;
  // the errors of n numbers add up to √n of one
  return Math.max(error, Math.abs(total - sum) / (largest * Math.sqrt(got.length)));
}
