/**
 * How far float32 may be from float64, derived once.
 *
 * A dot product of d terms that reaches S is wrong by about ε·√d·S; an exponential turns that
 * absolute error of a score into a relative error of a weight; a sum over C keys adds ε·√C. So
 *
 *     error ≤ 2 · ε · √(d + C) · (1 + S) · max|reference|
 *
 * for the output. A gradient multiplies two such results and a softmax's derivative: 3 times that.
 */
import type {Values} from './naive';

const EPSILON = 2 ** -23;

export interface Sizes {
  /** Length of the longest dot product behind a score, and of the longest sum of weights. */
  d: number;
  context: number;
  /** Bound of the scores, S. */
  largestScore: number;
}

export function outputTolerance({d, context, largestScore}: Sizes): number {
  return 2 * EPSILON * Math.sqrt(d + context) * (1 + largestScore);
}

export function gradientTolerance(sizes: Sizes): number {
  return 3 * outputTolerance(sizes);
}

/** Bound of |q · k| over all pairs, by the norms (Cauchy and Schwarz). */
export function largestProduct(q: Values, k: Values, normalisedKeys = false): number {
  return largestNorm(q) * (normalisedKeys ? 1 : largestNorm(k));
}

function largestNorm({shape, data}: Values): number {
  const d = shape[shape.length - 1];
  let largest = 0;
  for (let row = 0; row < data.length; row += d) {
    let square = 0;
    for (let c = 0; c < d; c++) square += data[row + c] ** 2;
    largest = Math.max(largest, Math.sqrt(square));
  }
  return largest;
}

export function largest(data: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < data.length; i++) most = Math.max(most, Math.abs(data[i]));
  return most;
}
