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

import {fail, failType, refuse, show} from '../check/errors';
import {LARGEST_COUNT, LARGEST_TENSOR, wholeNumber} from '../check/numbers';
import {anything, count, flag, number, required} from '../check/option_kinds';
import {Given, readOptions} from '../check/options';
import {checkTensor} from '../check/tensors';
import {Kept} from './kept';
import {checkXposReach} from './xpos_reach';

const THETA = 10000;

/** Below 1, frequencies grow up to 1 / theta; up to here, float64 tells the angles of all positions apart. */
const LEAST_THETA = 1e-6;

/** The angles p · θ_m by their cosines and sines: float32 [length, dim / 2] each. */
export interface RotaryAngles {
  cos: tf.Tensor2D;
  sin: tf.Tensor2D;
}

export const ANGLES = {
  /** Base of the frequencies, dimensionless, at least 1e-6. Default 10000. */
  theta: number('≥ 1e-6', {from: LEAST_THETA}, THETA),
  /** Position of the first row, in tokens: a whole number. Default 0. */
  offset: count(-LARGEST_COUNT, 0),
};

const APPLY = {
  /** Factors [n, d / 2] that {@link xposScale} makes; channel m and m + d / 2 share one. */
  scale: anything<tf.Tensor2D>(),
};

const XPOS = {
  /** Tokens over which the scale decays, > 0. */
  scaleBase: required(number('> 0', {above: 0})),
  /** 1 / scale, for the keys. Default false. */
  inverse: flag(false),
};

export type AngleOptions = Given<typeof ANGLES>;
export type ApplyOptions = Given<typeof APPLY>;
export type XposOptions = Given<typeof XPOS>;

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

/**
 * Rotates each position of `x` by its angles: with x = (x₁, x₂) split in halves,
 * (x₁ cos − x₂ sin, x₂ cos + x₁ sin), times the scale where there is one.
 *
 * @param x float32 [..., n, d]
 * @param angles what {@link angles} made for n and d
 * @returns float32 [..., n, d]; differentiable by x (the gradient is the rotation backwards)
 * @throws if the shapes do not fit each other
 */
export function apply(x: tf.Tensor, angles: RotaryAngles, options: ApplyOptions = {}): tf.Tensor {
  const fn = 'rotary.apply';
  checkTensor(fn, 'x', x, 'float32');
  if (x.rank < 2) fail(fn, 'x must have the shape [..., n, d]', x);
  const [n, d] = x.shape.slice(-2);
  if (typeof angles !== 'object' || angles === null) {
    failType(fn, 'angles must be what rotary.angles(n, d) returns', angles);
  }
  const {cos, sin} = angles;
  const {scale} = readOptions(fn, APPLY, options);
  checkTable(fn, 'angles.cos', cos, n, d);
  checkTable(fn, 'angles.sin', sin, n, d);
  if (scale !== null) checkTable(fn, 'scale', scale, n, d);

  return tf.tidy(() => {
    const b = x.shape.slice(0, -2).reduce((product, size) => product * size, 1); // −1 fails at n 0
    const rows = tf.reshape(x, [b, n, d]) as tf.Tensor3D;
    const turned = x.size === 0 ? rows : turn(rows, cos, sin, scale);
    return tf.reshape(turned, x.shape);
  });
}

/**
 * The xpos scale of the positions 0 … length − 1, S(t) = ζ_m^((t − ⌊length / 2⌋) / scaleBase) with
 * ζ_m = (2m + 0.4 dim) / (1.4 dim): float32 [length, dim / 2]. Queries take S(t), keys 1 / S(t).
 * The powers grow with length / scaleBase, so use it within a context, not over a whole text.
 *
 * @throws if dim is odd, scaleBase is missing, or anything is not a number of the kind above.
 */
export function xposScale(length: number, dim: number, options: XposOptions): tf.Tensor2D {
  const fn = 'rotary.xposScale';
  checkSizes(fn, length, dim);
  const {scaleBase, inverse} = readOptions(fn, XPOS, options);
  checkXposReach(fn, 'scaleBase', length, scaleBase);
  const sign = inverse ? -1 : 1;
  const half = dim / 2;
  const values = new Float32Array(length * half);
  for (let t = 0; t < length; t++) {
    const power = (sign * (t - Math.floor(length / 2))) / scaleBase;
    for (let m = 0; m < half; m++) {
      values[t * half + m] = xposFactor(m, dim, power);
    }
  }
  return tf.tensor2d(values, [length, half]);
}

/** ζ_m^power */
export function xposFactor(m: number, dim: number, power: number): number {
  return ((2 * m + 0.4 * dim) / (1.4 * dim)) ** power;
}

/** What {@link angles} makes of the default theta, as arrays not to be written to. */
export function hostAngles(offset: number, length: number, dim: number): Table {
  return table(length, dim, THETA, offset);
}

// rows: [b, n, d]; cos, sin, scale: [n, d / 2]
function turn(
  rows: tf.Tensor3D,
  cos: tf.Tensor2D,
  sin: tf.Tensor2D,
  scale: tf.Tensor2D | null,
): tf.Tensor3D {
  // by hand, because autodiff would keep six tensors of x's size and pad its slices
  const operation = tf.customGrad((...args) => {
    const save = args.pop() as unknown as (tensors: tf.Tensor[]) => void;
    save(scale ? [cos, sin, scale] : [cos, sin]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [cos, sin, scale = null] = saved as tf.Tensor2D[];
      return turn(dy as tf.Tensor3D, cos, tf.neg(sin), scale);
    };
    return {value: rotate(rows, cos, sin, scale), gradFunc};
  });
  return operation(rows) as tf.Tensor3D;
}

function rotate(
  x: tf.Tensor3D,
  cos: tf.Tensor2D,
  sin: tf.Tensor2D,
  scale: tf.Tensor2D | null,
): tf.Tensor3D {
  const [b, n, d] = x.shape;
  const first = tf.slice(x, [0, 0, 0], [b, n, d / 2]);
  const second = tf.slice(x, [0, 0, d / 2], [b, n, d / 2]);
  const rotated = [
    tf.sub(tf.mul(first, cos), tf.mul(second, sin)),
    tf.add(tf.mul(second, cos), tf.mul(first, sin)),
  ];
  return tf.concat(scale ? rotated.map((part) => tf.mul(part, scale)) : rotated, 2) as tf.Tensor3D;
}

interface Table {
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

function checkSizes(fn: string, length: number, dim: number): void {
  wholeNumber(fn, 'length', length, 0);
  const size = wholeNumber(fn, 'dim', dim, 2);
  if (size % 2 === 1) fail(fn, 'dim must be even', size);
  const elements = (length * size) / 2;
  if (elements > LARGEST_TENSOR) {
    fail(fn, `length · dim / 2 must be at most ${LARGEST_TENSOR}, the elements of 4 GiB`, elements);
  }
}

function checkTable(
  fn: string,
  name: string,
  x: unknown,
  n: number,
  d: number,
): asserts x is tf.Tensor2D {
  checkTensor(fn, name, x, 'float32');
  if (d % 2 === 1) fail(fn, 'the last axis of x must be even', d);
  if (x.rank !== 2 || x.shape[0] !== n || x.shape[1] !== d / 2) {
    refuse(fn, `${name} must have the shape [n, d / 2] = [${n}, ${d / 2}], got ${show(x.shape)}`);
  }
}
