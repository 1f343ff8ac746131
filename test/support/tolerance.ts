/**
 * How far float32, or float16, may be from float64, derived once from its ε. Two errors add up.
 *
 * **Sums.** A sum of m products is wrong by about ε·√m of what it adds up. Behind an output are
 * sums of d products and of C weights, so
 *
 *     sums = 2 · ε · √(d + C) · the largest number that is multiplied
 *
 * and 3 times that for a gradient, which multiplies two such results and a softmax's derivative.
 *
 * **Scores.** A score q · k + bias is wrong by about δ = ε · (√d · Σ|q_c k_c| + |bias|), and an
 * exponential turns that into a relative error of a weight. How much of it reaches a result depends
 * on the row: where one key is far ahead it has all the weight however the scores are rounded, and
 * where two are within δ of each other either may have it. No factor of the largest score says so:
 * at scores of 10⁷ it lets everything pass. So the loops tell: they run again with the scores moved
 * by δ, each of the best keys of a row up in turn and all others down, and all up to the best, and
 *
 *     scores = 2 · the farthest that this moves a result       (test/support/truth.ts)
 *
 * where 2 stands for the combinations of rows that are not tried: of 4,245 random cases one needs it.
 *
 * The composite and the loops may differ by the sum of both. A fused program may differ by 2 errors
 * of the composite on the same inputs and backend besides: on cpu that is a strict measure, since
 * matMul sums in float64 there.
 *
 * Where no loops run (files of fixtures, layers), a bound takes the place of the second error: with
 * scores of at most S, it is S times the first.
 */
import type {Values} from './naive';

/** Whether tensors are float16, as on webgl by WEBGL_FORCE_F16_TEXTURES and on many a phone. */
export const FLOAT16 = process.env.PRECISION === 'float16';

export const EPSILON = FLOAT16 ? 2 ** -10 : 2 ** -23;

/** The nearest number that tensors hold, of those that are not too small. */
export function rounded(x: number): number {
  if (!FLOAT16 || x === 0 || !Number.isFinite(x)) return Math.fround(x);
  const unit = EPSILON * 2 ** Math.max(Math.floor(Math.log2(Math.abs(x))), -14);
  return Math.round(x / unit) * unit;
}

/** A number that float32 holds, rounded once; and one that a rotation made of three roundings. */
export const ROUNDED = EPSILON;
export const ROTATED = 4 * EPSILON;

/** The files of fixtures keep ten significant digits; sums over a few dozen terms leave this. */
export const FIXTURE_TOLERANCE = 1e-8;

export interface Sizes {
  /** Length of the longest dot product behind a score, and of the longest sum of weights. */
  d: number;
  context: number;
  /** Bound of the scores, S; 0 where their errors are counted apart. */
  largestScore: number;
}

export function outputTolerance({d, context, largestScore}: Sizes): number {
  return 2 * EPSILON * Math.sqrt(d + context) * (1 + largestScore);
}

export function gradientTolerance(sizes: Sizes): number {
  return 3 * outputTolerance(sizes);
}

/** Of the loss after some steps of training, relative: what a step has rounded, the next ones carry on. */
export const LOSS_OF_STEPS = 1e-4;

/** Of a sum of so many products. */
export function sumTolerance(terms: number): number {
  return outputTolerance({d: terms, context: 0, largestScore: 0});
}

/**
 * Central differences with step h are wrong by h² (times a third derivative, of at most ten) and
 * by the error of the function / h. Both are least at h = error^(1/3).
 */
export function centralDifferences(error: number): {step: number; tolerance: number} {
  const step = Math.cbrt(error);
  return {step, tolerance: 10 * step ** 2};
}

/** Bound of |q · k| over all pairs, by the norms (Cauchy and Schwarz). */
export function largestProduct(q: Values, k: Values, normalisedKeys = false): number {
  return Math.max(...norms(q)) * (normalisedKeys ? 1 : Math.max(...norms(k)));
}

/** Of each row. */
export function norms({shape, data}: Values): number[] {
  const d = shape[shape.length - 1];
  return Array.from({length: data.length / d}, (_, row) => {
    let square = 0;
    for (let c = 0; c < d; c++) square += data[row * d + c] ** 2;
    return Math.sqrt(square);
  });
}

export function largest(data: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < data.length; i++) most = Math.max(most, Math.abs(data[i]));
  return most;
}
