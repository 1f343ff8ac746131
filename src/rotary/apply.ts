import * as tf from '@tensorflow/tfjs';

import {fail, failType, refuse, show} from '../check/errors';
import {anything} from '../check/option_kinds';
import {Given, readOptions} from '../check/options';
import {checkTensor} from '../check/tensors';
import type {RotaryAngles} from './angles';

const APPLY = {
  /** Factors [n, d / 2] that `rotary.xposScale` makes; channel m and m + d / 2 share one. */
  scale: anything<tf.Tensor2D>(),
};

/**
 * The options of `rotary.apply`. `null` counts as absent.
 *
 * @interface
 */
export type ApplyOptions = Given<typeof APPLY>;

/**
 * Rotates each position of `x` by its angles: with x = (x₁, x₂) split in halves,
 * (x₁ cos − x₂ sin, x₂ cos + x₁ sin), times the scale where there is one.
 *
 * @param x float32 [..., n, d]
 * @param angles what `rotary.angles` made for n and d
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
