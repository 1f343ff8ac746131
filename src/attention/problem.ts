import * as tf from '@tensorflow/tfjs';

import {checkXposReach} from '../rotary/xpos_reach';
import {LocalAttentionConfig, checkRotaryDim, contextOf, xposBase} from './config';
import {fail, refuse, show} from '../check/errors';
import {
  LARGEST_COUNT,
  LARGEST_TENSOR,
  OptionReader,
  checkSeed,
  wholeNumber,
} from '../check/options';
import {checkTensor} from '../check/tensors';

/** What {@link localAttention} takes besides the tensors and the config. */
export interface LocalAttentionCall {
  /**
   * Which keys exist: bool [B, n], true = keep. B is 1 or divides the product of the leading axes,
   * which are then read batch-major: [B, heads, n, d] goes with [B, n].
   */
  mask?: tf.Tensor | null;
  /** Another name for `mask`. */
  inputMask?: tf.Tensor | null;
  /**
   * Added to the scores: float32 [h, w, C] or [w, C], with w the window, C = (1 + lookBackward +
   * lookForward) · w its context, and h dividing the product of the leading axes, head-minor.
   */
  attnBias?: tf.Tensor | null;
  /** A window for this call alone; needs `useXpos`. `xposScaleBase` stays as configured. */
  windowSize?: number | null;
  /** Dropout happens only where this is true. Default false. */
  training?: boolean | null;
  /** Seed of this call's dropout, a whole number below 2³². Default: a random one. */
  seed?: number | null;
}

const CALL_OPTIONS: readonly (keyof LocalAttentionCall)[] = [
  'mask',
  'inputMask',
  'attnBias',
  'windowSize',
  'training',
  'seed',
];

/**
 * One call as flat facts. Every rule about shapes is checked in {@link problemOf} and never again.
 * b: product of the leading axes; n: tokens; d, dv: sizes of a key and of a value; w: window;
 * C: context of a window, (1 + back + forward) · w slots.
 */
export interface Problem {
  readonly leading: readonly number[];
  readonly b: number;
  readonly n: number;
  readonly d: number;
  readonly dv: number;
  readonly w: number;
  /** Windows, with the padded one. */
  readonly windows: number;
  /** Tokens with padding: windows · w. */
  readonly padded: number;
  /** Windows that a query sees before its own, and after it. */
  readonly back: number;
  readonly forward: number;
  readonly context: number;
  readonly causal: boolean;
  readonly exact: boolean;
  readonly sharedQk: boolean;
  readonly scale: number;
  readonly rotary: boolean;
  /** Tokens over which xpos decays, or null without xpos. */
  readonly xposBase: number | null;
  readonly mask: tf.Tensor2D | null;
  /** [h, w, C] */
  readonly bias: tf.Tensor | null;
  /** Heads of the bias, which divide b. */
  readonly heads: number;
  /** 0 unless this call trains. */
  readonly dropout: number;
  readonly seed: number;
}

/** Checks the tensors of one call against each other and the config. Allocates nothing. */
export function problemOf(
  fn: string,
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  config: LocalAttentionConfig,
  call: LocalAttentionCall,
): Problem {
  checkTensor(fn, 'q', q, 'float32');
  checkTensor(fn, 'k', k, 'float32');
  checkTensor(fn, 'v', v, 'float32');
  return problemOfShapes(fn, q.shape, k.shape, v.shape, config, call);
}

/** {@link problemOf} for q, k and v that are yet to be made. */
export function problemOfShapes(
  fn: string,
  q: number[],
  k: number[],
  v: number[],
  config: LocalAttentionConfig,
  call: LocalAttentionCall,
): Problem {
  const options = new OptionReader(fn, call, CALL_OPTIONS);
  const training = options.flag('training', false);
  const seed = options.has('seed')
    ? checkSeed(fn, options.raw('seed'))
    : Math.floor(Math.random() * 2 ** 32);

  const w = windowOf(fn, config, options.raw('windowSize'));
  checkShapes(fn, q, k, v, config, w);
  const leading = q.slice(0, -2);
  const [n, d] = q.slice(-2);
  const dv = v[v.length - 1];
  const b = leading.reduce((product, size) => product * size, 1);
  const windows = Math.ceil(n / w);
  const context = contextOf(fn, config, w);
  if (windows * w > LARGEST_COUNT) {
    fail(fn, `sequence length, with its padding, must be at most ${LARGEST_COUNT}`, n);
  }
  const bias = checkBias(fn, options.raw('attnBias') ?? null, b, w, context);
  return {
    leading,
    b,
    n,
    d,
    dv,
    w,
    windows,
    padded: windows * w,
    back: config.lookBackward,
    forward: config.lookForward,
    context,
    causal: config.causal,
    exact: config.exactWindowsize,
    sharedQk: config.sharedQk,
    scale: config.scale ?? d ** -0.5,
    rotary: config.useRotaryPosEmb,
    xposBase: config.useXpos ? xposBase(config) : null,
    mask: checkMask(fn, options, b, n),
    bias,
    heads: bias !== null && bias.rank === 3 ? bias.shape[0] : 1,
    dropout: training ? config.dropout : 0,
    seed,
  };
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
  if (ofCall == null) return config.windowSize;
  const w = wholeNumber(fn, 'windowSize of the call', ofCall, 1);
  if (!config.useXpos) {
    fail(fn, 'windowSize of the call needs useXpos: true (without xpos, set it in the config)', w);
  }
  const context = contextOf(fn, config, w);
  checkXposReach(fn, 'xposScaleBase', context, xposBase(config));
  return w;
}

function checkMask(fn: string, options: OptionReader, b: number, n: number): tf.Tensor2D | null {
  if (options.has('mask') && options.has('inputMask')) {
    refuse(fn, 'mask and inputMask are two names of one option, got both; pass mask alone');
  }
  const mask = options.raw('mask') ?? options.raw('inputMask') ?? null;
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

/**
 * Why the composite cannot compute `p`, or null: its scores and the keys and values of all contexts
 * are tensors.
 */
export function refusesComposite(p: Problem): string | null {
  const {b, padded, windows, w, context} = p;
  const largest = b * windows * context * Math.max(w, p.d, p.dv);
  if (largest <= LARGEST_TENSOR) return null;
  const gib = (largest / 2 ** 28).toFixed(1);
  return (
    `${b} · ${padded} tokens with windows of ${w} and a context of ${context} need a tensor of ` +
    `${gib} GiB, and none may take more than 4 GiB; take a smaller context or batch`
  );
}
