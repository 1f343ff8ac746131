import * as tf from '@tensorflow/tfjs';

import {fail} from '../check/errors';
import {LARGEST_COUNT} from '../check/numbers';
import {readOptions} from '../check/options';
import {checkTensor} from '../check/tensors';
import {CALL, LocalAttentionCall, checkBias, checkMask, windowOf} from './call';
import {LocalAttentionConfig, contextOf, xposBase} from './config';
import {checkShapes} from './shapes';

/**
 * One call as flat facts. Every rule about shapes is checked in {@link problemOf} and never again.
 * In formulas: n tokens, d and dv the sizes of a key and of a value, w the window, C = (1 +
 * lookBackward + lookForward) · w the slots of its context.
 */
export interface Problem {
  /** All axes of q but the last two. */
  readonly leading: readonly number[];
  /** The last of them, where there are at least two, else 1; and the product of the others. */
  readonly heads: number;
  readonly batch: number;
  /** n */
  readonly length: number;
  /** d and dv */
  readonly headDim: number;
  readonly valueDim: number;
  /** w */
  readonly windowSize: number;
  /** C */
  readonly context: number;
  readonly causal: boolean;
  /** Counted in windows. */
  readonly lookBackward: number;
  readonly lookForward: number;
  readonly exactWindowsize: boolean;
  readonly sharedQk: boolean;
  readonly scale: number;
  readonly rotary: boolean;
  /** Tokens over which xpos decays, or null without xpos. */
  readonly xposBase: number | null;
  /** Row ⌊i · rows / (batch · heads)⌋ is of head i of all. */
  readonly mask: tf.Tensor2D | null;
  /** [h, w, C] or [w, C]; table i mod h is of head i of all. */
  readonly bias: tf.Tensor | null;
  /** h */
  readonly biasHeads: number;
  /** 0 unless this call trains. */
  readonly dropout: number;
  readonly seed: number;
}

/** The shapes of the tensors of a call. */
export interface Shapes {
  q: readonly number[];
  k: readonly number[];
  v: readonly number[];
}

/** Checks the tensors of one call. */
export function checkSequences(fn: string, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): void {
  checkTensor(fn, 'q', q, 'float32');
  checkTensor(fn, 'k', k, 'float32');
  checkTensor(fn, 'v', v, 'float32');
}

/** Checks the shapes and the options of one call against each other. Allocates nothing. */
export function problemOf(
  fn: string,
  {q, k, v}: Shapes,
  config: LocalAttentionConfig,
  call: LocalAttentionCall,
): Problem {
  const options = readOptions(fn, CALL, call);
  const windowSize = windowOf(fn, config, options.windowSize);
  checkShapes(fn, q, k, v, config, windowSize);
  const leading = q.slice(0, -2);
  const [length, headDim] = q.slice(-2);
  const all = product(leading);
  const heads = leading.length > 1 ? leading[leading.length - 1] : 1;
  const context = contextOf(fn, config, windowSize);
  if (Math.ceil(length / windowSize) * windowSize > LARGEST_COUNT) {
    fail(fn, `sequence length, with its padding, must be at most ${LARGEST_COUNT}`, length);
  }
  const bias = checkBias(fn, options.attnBias, all, windowSize, context);
  return {
    leading,
    heads,
    batch: product(leading.slice(0, -1).length > 0 ? leading.slice(0, -1) : leading),
    length,
    headDim,
    valueDim: v[v.length - 1],
    windowSize,
    context,
    causal: config.causal,
    lookBackward: config.lookBackward,
    lookForward: config.lookForward,
    exactWindowsize: config.exactWindowsize,
    sharedQk: config.sharedQk,
    scale: config.scale ?? headDim ** -0.5,
    rotary: config.useRotaryPosEmb,
    xposBase: config.useXpos ? xposBase(config) : null,
    mask: checkMask(fn, options.mask, options.inputMask, all, length),
    bias,
    biasHeads: bias !== null && bias.rank === 3 ? bias.shape[0] : 1,
    dropout: options.training ? config.dropout : 0,
    seed: options.seed ?? Math.floor(Math.random() * 2 ** 32),
  };
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}
