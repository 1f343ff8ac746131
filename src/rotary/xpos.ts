import * as tf from '@tensorflow/tfjs';

import {fail} from '../check/errors';
import {flag, number, required} from '../check/option_kinds';
import {Given, readOptions} from '../check/options';
import {checkSizes} from './angles';
import {Kept} from './kept';

const XPOS = {
  /** Tokens over which the scale decays, > 0. */
  scaleBase: required(number('> 0', {above: 0})),
  /** 1 / scale, for the keys. Default false. */
  inverse: flag(false),
};

/**
 * The options of `rotary.xposScale`. `null` counts as absent.
 *
 * @interface
 */
export type XposOptions = Given<typeof XPOS>;

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
  // a copy: some backends keep the array they are given, and its reader may write to it
  const values = hostXposScale(length, dim, scaleBase, inverse ? -1 : 1).slice();
  return tf.tensor2d(values, [length, dim / 2]);
}

const tables = new Kept<Float32Array>(({byteLength}) => byteLength);

/** What {@link xposScale} makes, as an array not to be written to; `sign` is −1 for the keys. */
export function hostXposScale(
  length: number,
  dim: number,
  scaleBase: number,
  sign: 1 | -1,
): Float32Array {
  const key = `${length} ${dim} ${scaleBase} ${sign}`;
  return tables.get(key, () => {
    const half = dim / 2;
    const values = new Float32Array(length * half);
    for (let t = 0; t < length; t++) {
      const power = (sign * (t - Math.floor(length / 2))) / scaleBase;
      for (let m = 0; m < half; m++) {
        values[t * half + m] = xposFactor(m, dim, power);
      }
    }
    return values;
  });
}

/** ζ_m^power */
export function xposFactor(m: number, dim: number, power: number): number {
  return ((2 * m + 0.4 * dim) / (1.4 * dim)) ** power;
}

/** The largest power that xpos may take of 3.5 = 1 / ζ_0, which float32 holds up to 3.5^70. */
export const LARGEST_XPOS_POWER = 64;

/** The powers of xpos over `context` slots must be numbers: ∞ · 0 is none. */
export function checkXposReach(fn: string, name: string, context: number, base: number): void {
  const least = Math.floor(context / 2) / LARGEST_XPOS_POWER;
  if (base < least) {
    fail(
      fn,
      `${name} must be at least ${least} for a context of ${context} tokens, or the powers of xpos ` +
        'leave float32',
      base,
    );
  }
}
