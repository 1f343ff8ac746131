/**
 * Rotary position embedding (Su et al., RoFormer, arXiv 2104.09864) and its extrapolatable form
 * xpos (Sun et al., A Length-Extrapolatable Transformer, arXiv 2212.10554), with halves rather
 * than interleaved pairs, as in the PyTorch package local-attention.
 *
 * Usable with no attention at all:
 *
 *     const angles = rotary.angles(n, d);             // cos and sin of p · θ_m
 *     const rotated = rotary.apply(x, angles);        // x: [..., n, d]
 */
import * as tf from '@tensorflow/tfjs';

import {fail} from '../check/errors';
import {LARGEST_COUNT, LARGEST_TENSOR, wholeNumber} from '../check/numbers';
import {count, number} from '../check/option_kinds';
import {Given, readOptions} from '../check/options';
import {Kept} from './kept';

const THETA = 10000;

/** Below 1, frequencies grow up to 1 / theta; up to here, float64 tells the angles of all positions apart. */
const LEAST_THETA = 1e-6;

/** The angles p · θ_m by their cosines and sines: float32 [length, dim / 2] each. */
export interface RotaryAngles {
  /** Their cosines. */
  cos: tf.Tensor2D;
  /** Their sines. */
  sin: tf.Tensor2D;
}

export const ANGLES = {
  /** Base of the frequencies, dimensionless, at least 1e-6. Default 10000. */
  theta: number('≥ 1e-6', {from: LEAST_THETA}, THETA),
  /** Position of the first row, in tokens: a whole number. Default 0. */
  offset: count(-LARGEST_COUNT, 0),
};

/**
 * The options of `rotary.angles`. `null` counts as absent.
 *
 * @interface
 */
export type AngleOptions = Given<typeof ANGLES>;

/**
 * cos(p · θ_m) and sin(p · θ_m), θ_m = theta^(−2m / dim), for p = offset … offset + length − 1 and
 * m < dim / 2, both float32 [length, dim / 2]. The caller disposes them.
 *
 * Computed in float64 and rounded once, so that position 1,000,000 is as exact as position 1; the
 * numbers are kept outside the backends for the next call.
 *
 * @throws if dim is odd, or anything is not a number of the kind above.
 */
export function angles(length: number, dim: number, options: AngleOptions = {}): RotaryAngles {
  const fn = 'rotary.angles';
  checkSizes(fn, length, dim);
  const {theta, offset} = readOptions(fn, ANGLES, options);
  const {cos, sin} = table(length, dim, theta, offset);
  // copies: some backends keep the array they are given, and its reader may write to it
  return {
    cos: tf.tensor2d(cos.slice(), [length, dim / 2]),
    sin: tf.tensor2d(sin.slice(), [length, dim / 2]),
  };
}

/** What {@link angles} makes of the default theta, as arrays not to be written to. */
export function hostAngles(offset: number, length: number, dim: number): Table {
  return table(length, dim, THETA, offset);
}

/** {@link hostAngles} of positions that do not come again, as in a text that goes on: nothing is kept. */
export function passingAngles(offset: number, length: number, dim: number): Table {
  return makeTable(length, dim, THETA, offset);
}

export interface Table {
  cos: Float32Array;
  sin: Float32Array;
}

/** Plain arrays, not tensors; longer texts than are kept pay 4 ns a number. */
const tables = new Kept<Table>(({cos, sin}) => cos.byteLength + sin.byteLength);

function table(length: number, dim: number, theta: number, offset: number): Table {
  const key = `${length} ${dim} ${theta} ${offset}`;
  return tables.get(key, () => makeTable(length, dim, theta, offset));
}

function makeTable(length: number, dim: number, theta: number, offset: number): Table {
  const half = dim / 2;
  const cos = new Float32Array(length * half);
  const sin = new Float32Array(length * half);
  for (let m = 0; m < half; m++) {
    const frequency = theta ** ((-2 * m) / dim);
    for (let row = 0; row < length; row++) {
      const angle = (offset + row) * frequency;
      cos[row * half + m] = Math.cos(angle);
      sin[row * half + m] = Math.sin(angle);
    }
  }
  return {cos, sin};
}

/** Throws unless a table can have this length and dim. */
export function checkSizes(fn: string, length: number, dim: number): void {
  wholeNumber(fn, 'length', length, 0);
  const size = wholeNumber(fn, 'dim', dim, 2);
  if (size % 2 === 1) fail(fn, 'dim must be even', size);
  const elements = (length * size) / 2;
  if (elements > LARGEST_TENSOR) {
    fail(fn, `length · dim / 2 must be at most ${LARGEST_TENSOR}, the elements of 4 GiB`, elements);
  }
}
