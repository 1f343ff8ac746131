import * as tf from '@tensorflow/tfjs';

import {fail, refuse} from '../check/errors';
import {wholeNumber} from '../check/numbers';
import {anything, flag, seed} from '../check/option_kinds';
import type {Given} from '../check/options';
import {checkTensor} from '../check/tensors';
import {checkXposReach} from '../rotary/xpos';
import {LocalAttentionConfig, contextOf, xposBase} from './config';

/** What {@link localAttention} takes besides the tensors and the config. */
export const CALL = {
  /**
   * Which keys exist: bool [B, n], true = keep. B is 1 or divides the product of the leading axes,
   * which are then read batch-major: [B, heads, n, d] goes with [B, n].
   */
  mask: anything<tf.Tensor>(),
  /** Another name for `mask`. */
  inputMask: anything<tf.Tensor>(),
  /**
   * Added to the scores: float32 [h, w, C] or [w, C], with w the window, C = (1 + lookBackward +
   * lookForward) · w its context, and h dividing the product of the leading axes, head-minor.
   */
  attnBias: anything<tf.Tensor>(),
  /** A window for this call alone; needs `useXpos`. `xposScaleBase` stays as configured. */
  windowSize: anything<number>(),
  /** Dropout happens only where this is true. Default false. */
  training: flag(false),
  /** Seed of this call's dropout, a whole number below 2³². Default: a random one. */
  seed: seed(),
};

/**
 * What `localAttention` takes besides the tensors and the options. `null` counts as absent.
 *
 * @interface
 */
export type LocalAttentionCall = Given<typeof CALL>;

/** The window in force, and the checks that one of the call has to pass. */
export function windowOf(fn: string, config: LocalAttentionConfig, ofCall: unknown): number {
  if (ofCall === null) return config.windowSize;
  const w = wholeNumber(fn, 'windowSize of the call', ofCall, 1);
  if (!config.useXpos) {
    fail(fn, 'windowSize of the call needs useXpos: true (without xpos, set it in the config)', w);
  }
  const context = contextOf(fn, config, w);
  checkXposReach(fn, 'xposScaleBase', context, xposBase(config));
  return w;
}

/** The mask of a call, by either name. */
export function checkMask(
  fn: string,
  named: unknown,
  alias: unknown,
  b: number,
  n: number,
): tf.Tensor2D | null {
  if (named !== null && alias !== null) {
    refuse(fn, 'mask and inputMask are two names of one option, got both; pass mask alone');
  }
  const mask = named ?? alias;
  if (mask === null) return null;
  checkTensor(fn, 'mask', mask, 'bool');
  if (mask.rank !== 2 || mask.shape[1] !== n) {
    fail(fn, `mask must have the shape [B, n] with n ${n}`, mask);
  }
  const batch = mask.shape[0];
  if (batch !== b && (batch === 0 || b % batch !== 0)) {
    fail(fn, `the first axis of mask must divide the product of the leading axes, ${b}`, mask);
  }
  return mask as tf.Tensor2D;
}

export function checkBias(
  fn: string,
  bias: unknown,
  b: number,
  w: number,
  context: number,
): tf.Tensor | null {
  if (bias === null) return null;
  checkTensor(fn, 'attnBias', bias, 'float32');
  const [rows, slots] = bias.shape.slice(-2);
  if ((bias.rank !== 2 && bias.rank !== 3) || rows !== w || slots !== context) {
    fail(
      fn,
      `attnBias must have the shape [h, ${w}, ${context}] or [${w}, ${context}] (window × context)`,
      bias,
    );
  }
  const heads = bias.rank === 3 ? bias.shape[0] : 1;
  if (heads === 0 || b % heads !== 0) {
    fail(fn, `the heads of attnBias must divide the product of the leading axes, ${b}`, bias);
  }
  return bias;
}
