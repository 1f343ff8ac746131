import * as tf from '@tensorflow/tfjs';

import {checkXposReach} from '../rotary/xpos_reach';
import {LocalAttentionConfig, checkRotaryDim, contextOf, xposBase} from './config';
import {fail, refuse, show} from '../check/errors';
import {LARGEST_COUNT, wholeNumber} from '../check/numbers';
import {anything, flag, seed} from '../check/option_kinds';
import {Given, readOptions} from '../check/options';
import {checkTensor} from '../check/tensors';

/** What {@link localAttention} takes besides the tensors and the config. */
const CALL = {
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

export type LocalAttentionCall = Given<typeof CALL>;

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

/**
 * The rules about the shapes of q, k and v, for tensors and for symbolic tensors, whose unknown
 * sizes (null) are left for later.
 */
export function checkShapes(
  fn: string,
  q: readonly (number | null)[],
  k: readonly (number | null)[],
  v: readonly (number | null)[],
  config: LocalAttentionConfig,
  w = config.windowSize,
): void {
  if (q.length < 2) fail(fn, 'q must have the shape [..., n, d]', q);
  if (!agree(q, k)) refuse(fn, `q and k must have the same shape, got ${show(q)} and ${show(k)}`);
  if (!agree(k.slice(0, -1), v.slice(0, -1))) {
    refuse(fn, `k and v must agree in all axes but the last, got ${show(k)} and ${show(v)}`);
  }
  const [n, d] = q.slice(-2);
  if (d === 0 || v[v.length - 1] === 0) {
    refuse(fn, `the last axis of q, k and v must not be empty, got ${show(q)} and ${show(v)}`);
  }
  if (d !== null) {
    if (config.dim !== null && config.dim !== d) {
      fail(fn, `the last axis of q and k must be dim ${config.dim} (or leave dim out)`, d);
    }
    checkRotaryDim(fn, config, d);
  }
  if (n !== null && n % w !== 0 && !config.autopad) {
    fail(fn, `sequence length must be a multiple of windowSize ${w} (or set autopad: true)`, n);
  }
}

function agree(a: readonly (number | null)[], b: readonly (number | null)[]): boolean {
  return (
    a.length === b.length && a.every((size, i) => size === null || b[i] === null || size === b[i])
  );
}

function windowOf(fn: string, config: LocalAttentionConfig, ofCall: unknown): number {
  if (ofCall === null) return config.windowSize;
  const w = wholeNumber(fn, 'windowSize of the call', ofCall, 1);
  if (!config.useXpos) {
    fail(fn, 'windowSize of the call needs useXpos: true (without xpos, set it in the config)', w);
  }
  const context = contextOf(fn, config, w);
  checkXposReach(fn, 'xposScaleBase', context, xposBase(config));
  return w;
}

function checkMask(
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

function checkBias(
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
