import {fail, failType, refuse} from '../check/errors';
import {LARGEST_COUNT} from '../check/numbers';
import {anything, count, flag, number, oneOf, required} from '../check/option_kinds';
import {Chosen, Given, readOptions} from '../check/options';
import {checkXposReach} from '../rotary/xpos';

/** Who computes: a kernel where there is one, a kernel or an error, or ordinary tf ops. */
export type Implementation = 'auto' | 'fused' | 'composite';

/** The options of {@link localAttention}; their order is that of docs/layers.md. */
export const LOCAL_ATTENTION = {
  /** Tokens in a window, w. */
  windowSize: required(count(1)),
  /** No query sees a key after itself. */
  causal: flag(false),
  /** **Windows** that a query sees before its own. */
  lookBackward: count(0, 1),
  /** **Windows** that a query sees after its own; 0 if causal, and then only 0. */
  lookForward: count(0),
  /** Rate at which attention weights are dropped in training; the rest grow by 1 / (1 − rate). */
  dropout: number('in [0, 1)', {from: 0, below: 1}, 0),
  /** Keys are l2-normalised, and a token sees itself only if it sees nothing else (Reformer). */
  sharedQk: flag(false),
  /** @deprecated `[dim, …]`: name `dim` instead. */
  relPosEmbConfig: anything<readonly number[]>('use `dim`'),
  /** Head size d; without it the last axis of the input, which it must equal. */
  dim: count(1),
  /** Any length: padded to whole windows, the padding hidden and cut off again. If off, w must divide n. */
  autopad: flag(false),
  /**
   * The exact band instead of whole windows: at most `lookBackward` · w tokens back and
   * `lookForward` · w forward.
   */
  exactWindowsize: flag(false),
  /** Factor of the queries; without it d^−0.5. */
  scale: number('finite', {}),
  /** Rotary position embedding of queries and keys; needs an even head size. */
  useRotaryPosEmb: flag(true),
  /** Its extrapolatable form, xpos; needs rotary embedding. */
  useXpos: flag(false),
  /** Tokens over which xpos decays, at least ⌊context / 2⌋ / 64; without it ⌊w / 2⌋, which w = 1 must replace. */
  xposScaleBase: number('> 0', {above: 0}),
  /**
   * Who computes it: `'composite'` (ordinary tf ops), `'fused'` (a kernel, or an error that says why
   * there is none), `'auto'` (a kernel where there is one).
   */
  implementation: oneOf<Implementation>(['auto', 'fused', 'composite'], 'auto'),
};

/**
 * The options of `localAttention`. `null` counts as absent.
 *
 * @interface
 */
export type LocalAttentionArgs = Given<typeof LOCAL_ATTENTION>;

/**
 * {@link LocalAttentionArgs} with every rule checked and every default filled in. Frozen.
 *
 * @interface
 */
export type LocalAttentionConfig = Omit<
  Chosen<typeof LOCAL_ATTENTION>,
  'lookForward' | 'relPosEmbConfig'
> & {
  /** **Windows** that a query sees after its own. */
  readonly lookForward: number;
};

const resolved = new WeakSet<object>();

/** Checks `args` by the rules above, in the name of `fn`, and fills in the defaults. */
export function resolveConfig(
  fn: string,
  args: LocalAttentionArgs | LocalAttentionConfig,
): LocalAttentionConfig {
  // a layer resolves once and calls often
  if (resolved.has(args)) return args as LocalAttentionConfig;

  const {relPosEmbConfig, ...options} = readOptions(fn, LOCAL_ATTENTION, args);
  const config: LocalAttentionConfig = {
    ...options,
    lookForward: options.lookForward ?? (options.causal ? 0 : 1),
    dim: relPosEmbConfig === null ? options.dim : dimOf(fn, relPosEmbConfig, options.dim),
  };
  checkTogether(fn, config);
  if (relPosEmbConfig !== null) warnOnce(fn, config.dim);
  resolved.add(config);
  return Object.freeze(config);
}

/** The tokens over which xpos decays: named, or half of the configured window. */
export function xposBase(config: LocalAttentionConfig): number {
  return config.xposScaleBase ?? Math.floor(config.windowSize / 2);
}

function checkTogether(fn: string, config: LocalAttentionConfig): void {
  const {lookForward} = config;
  if (config.causal && lookForward > 0) {
    fail(fn, 'lookForward must be 0 when causal is true', lookForward);
  }
  const context = contextOf(fn, config, config.windowSize);
  if (config.dim !== null) checkRotaryDim(fn, config, config.dim);
  if (config.useXpos && !config.useRotaryPosEmb) {
    refuse(fn, 'useXpos: true needs useRotaryPosEmb: true, got useRotaryPosEmb: false');
  }
  if (config.useXpos && xposBase(config) === 0) {
    refuse(
      fn,
      'useXpos with windowSize 1 needs xposScaleBase, since the default ⌊windowSize / 2⌋ is 0',
    );
  }
  if (config.useXpos) {
    const byDefault = config.xposScaleBase === null ? ', by default ⌊windowSize / 2⌋,' : '';
    checkXposReach(fn, `xposScaleBase${byDefault}`, context, xposBase(config));
  }
}

/** Slots in the context of a window, which must be countable. */
export function contextOf(
  fn: string,
  {lookBackward, lookForward}: Pick<LocalAttentionConfig, 'lookBackward' | 'lookForward'>,
  window: number,
): number {
  const context = (1 + lookBackward + lookForward) * window;
  if (context > LARGEST_COUNT) {
    fail(
      fn,
      `(1 + lookBackward + lookForward) · windowSize must be at most ${LARGEST_COUNT} tokens`,
      context,
    );
  }
  return context;
}

/** Rotary turns pairs of channels. */
export function checkRotaryDim(fn: string, config: LocalAttentionConfig, dim: number): void {
  if (config.useRotaryPosEmb && dim % 2 === 1) {
    fail(fn, 'head size must be even for rotary embedding (or set useRotaryPosEmb: false)', dim);
  }
}

function dimOf(fn: string, list: unknown, dim: number | null): number {
  const rule = 'relPosEmbConfig must be an array that begins with the head size (or use dim)';
  if (!Array.isArray(list)) failType(fn, rule, list);
  const first: unknown = list[0];
  if (!isCount(first)) fail(fn, rule, list);
  if (dim !== null && dim !== first) {
    refuse(fn, `dim and relPosEmbConfig[0] must agree, got ${dim} and ${first}; use dim alone`);
  }
  return first;
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= LARGEST_COUNT;
}

let warned = false;

function warnOnce(fn: string, dim: number | null): void {
  if (warned) return;
  warned = true;
  console.warn(`[${fn}] relPosEmbConfig is deprecated; use dim: ${dim}.`);
}
