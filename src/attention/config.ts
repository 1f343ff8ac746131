import {fail, failType, refuse} from '../check/errors';
import {LARGEST_COUNT, OptionReader} from '../check/options';
import {checkXposReach} from '../rotary/xpos_reach';

export type Implementation = 'auto' | 'fused' | 'composite';

/** The options of {@link localAttention}. `null` counts as absent. */
export interface LocalAttentionArgs {
  /** Tokens in a window, w. Required; a whole number of at least 1. */
  windowSize: number;
  /** A query sees no key after itself. Default false. */
  causal?: boolean | null;
  /** How many **windows** before its own a query sees. Default 1. */
  lookBackward?: number | null;
  /** How many **windows** after its own a query sees. Default 1, or 0 if causal (and then only 0). */
  lookForward?: number | null;
  /** Rate in [0, 1) at which attention weights are dropped in training; the rest grow by 1/(1−rate). Default 0. */
  dropout?: number | null;
  /** Keys are l2-normalised, and a token sees itself only if it sees nothing else (Reformer). Default false. */
  sharedQk?: boolean | null;
  /** @deprecated `[dim, …]`: name `dim` instead. */
  relPosEmbConfig?: readonly number[] | null;
  /** Head size d. Default: the last axis of the input, which it must equal. */
  dim?: number | null;
  /** Pad the sequence to a multiple of the window, hide the padding, and cut it off again. Default false. */
  autopad?: boolean | null;
  /**
   * Cut the context to the exact band: at most `lookBackward · windowSize` tokens back and
   * `lookForward · windowSize` forward, instead of whole windows. Default false.
   */
  exactWindowsize?: boolean | null;
  /** Factor of the queries. Default d^−0.5. */
  scale?: number | null;
  /** Rotary position embedding of queries and keys. Default true; needs an even head size. */
  useRotaryPosEmb?: boolean | null;
  /** Extrapolatable rotary embedding (xpos). Default false; needs useRotaryPosEmb. */
  useXpos?: boolean | null;
  /** Tokens over which xpos decays. Default ⌊windowSize / 2⌋, which windowSize 1 must replace. */
  xposScaleBase?: number | null;
  /**
   * Which program computes it: `'composite'` (ordinary tf ops), `'fused'` (one kernel, or an error
   * that says why there is none), `'auto'` (fused where there is one). Default `'auto'`.
   */
  implementation?: Implementation | null;
}

/** {@link LocalAttentionArgs} with every rule checked and every default filled in. Frozen. */
export interface LocalAttentionConfig {
  readonly windowSize: number;
  readonly causal: boolean;
  readonly lookBackward: number;
  readonly lookForward: number;
  readonly dropout: number;
  readonly sharedQk: boolean;
  readonly dim: number | null;
  readonly autopad: boolean;
  readonly exactWindowsize: boolean;
  readonly scale: number | null;
  readonly useRotaryPosEmb: boolean;
  readonly useXpos: boolean;
  readonly xposScaleBase: number | null;
  readonly implementation: Implementation;
}

export const LOCAL_ATTENTION_OPTIONS: readonly (keyof LocalAttentionArgs)[] = [
  'windowSize',
  'causal',
  'lookBackward',
  'lookForward',
  'dropout',
  'sharedQk',
  'relPosEmbConfig',
  'dim',
  'autopad',
  'exactWindowsize',
  'scale',
  'useRotaryPosEmb',
  'useXpos',
  'xposScaleBase',
  'implementation',
];

const IMPLEMENTATIONS: readonly Implementation[] = ['auto', 'fused', 'composite'];

const resolved = new WeakSet<object>();

/** Checks `args` by the rules above, in the name of `fn`, and fills in the defaults. */
export function resolveConfig(
  fn: string,
  args: LocalAttentionArgs | LocalAttentionConfig,
): LocalAttentionConfig {
  // a layer resolves once and calls often
  if (resolved.has(args)) return args as LocalAttentionConfig;

  const options = new OptionReader(fn, args, LOCAL_ATTENTION_OPTIONS);
  options.required('windowSize');
  const causal = options.flag('causal', false);
  const config: LocalAttentionConfig = {
    windowSize: options.count('windowSize', 1, 0),
    causal,
    lookBackward: options.count('lookBackward', 0, 1),
    lookForward: options.count('lookForward', 0, causal ? 0 : 1),
    dropout: options.number('dropout', 0, {from: 0, below: 1}),
    sharedQk: options.flag('sharedQk', false),
    dim: readDim(fn, options),
    autopad: options.flag('autopad', false),
    exactWindowsize: options.flag('exactWindowsize', false),
    scale: options.number('scale', null),
    useRotaryPosEmb: options.flag('useRotaryPosEmb', true),
    useXpos: options.flag('useXpos', false),
    xposScaleBase: options.number('xposScaleBase', null, {above: 0}),
    implementation: options.oneOf('implementation', IMPLEMENTATIONS, 'auto'),
  };
  checkTogether(fn, config);
  if (options.has('relPosEmbConfig')) warnOnce(fn, config.dim);
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
  {lookBackward, lookForward}: LocalAttentionConfig,
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

function readDim(fn: string, options: OptionReader): number | null {
  const dim = options.count('dim', 1, null);
  if (!options.has('relPosEmbConfig')) return dim;

  const list = options.raw('relPosEmbConfig');
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
