/** The PyTorch original's answers, written by scripts/make_*fixtures.py, with their types. */
import localAttention from '../fixtures/local_attention.json';
import localMHA from '../fixtures/local_mha.json';
import localTransformer from '../fixtures/local_transformer.json';
import losses from '../fixtures/losses.json';
import rotary from '../fixtures/rotary.json';
import type {NaiveConfig, NaiveMHAConfig} from './naive';
import type {NaiveTransformerConfig} from './naive_transformer';

export interface FixtureTensor {
  shape: number[];
  data: number[];
}

export interface LocalAttentionFixture {
  name: string;
  config: NaiveConfig & {dim?: number; relPosEmbConfig?: number[]};
  q: FixtureTensor;
  k: FixtureTensor;
  v: FixtureTensor;
  /** [B, n] of 0 and 1. */
  mask?: FixtureTensor;
  attnBias?: FixtureTensor;
  /** Given at the call. */
  windowSize?: number;
  out: FixtureTensor;
  /** The gradients are those of Σ out·dout. */
  dout: FixtureTensor;
  dq: FixtureTensor;
  dk: FixtureTensor;
  dv: FixtureTensor;
  dAttnBias?: FixtureTensor;
}

export interface LocalMHAFixture {
  name: string;
  config: NaiveMHAConfig;
  /** Kernels are [in, out]. */
  weights: Record<string, FixtureTensor>;
  x: FixtureTensor;
  mask?: FixtureTensor;
  attnBias?: FixtureTensor;
  out: FixtureTensor;
  dout: FixtureTensor;
  dx: FixtureTensor;
  dAttnBias?: FixtureTensor;
  /** By the names of `weights`. */
  gradients: Record<string, FixtureTensor>;
}

/** A gradient, or of a larger one the sums of its rows and of its columns. */
export type KeptGradient = FixtureTensor | {rows: FixtureTensor; columns: FixtureTensor};

export interface LocalTransformerFixture {
  name: string;
  config: NaiveTransformerConfig & {ignoreIndex?: number};
  /** The state_dict without its buffers: matrices are [out, in]. */
  weights: Record<string, FixtureTensor>;
  /** [B, n + 1]: the model is given all but the last, the labels are all but the first. */
  ids?: FixtureTensor;
  /** [B, n, D], where there are no tokens; the loss is then Σ output·dout. */
  x?: FixtureTensor;
  dout?: FixtureTensor;
  dx?: FixtureTensor;
  /** [B, n] */
  mask?: FixtureTensor;
  output: FixtureTensor;
  loss: FixtureTensor;
  /** By the names of `weights`. */
  gradients: Record<string, KeptGradient>;
}

/** Written by scripts/make_losses.py; weights and tokens are drawn from the seed. */
export interface LossesFixture {
  name: string;
  config: NaiveTransformerConfig & {ignoreIndex: number};
  seed: number;
  /** n, of which there is one more in the ids of a step. */
  tokens: number;
  batch: number;
  learningRate: number;
  /** Before each step. */
  losses: FixtureTensor;
}

export interface RotaryTable {
  name: string;
  dim: number;
  positions: FixtureTensor;
  /** [positions, dim] */
  cos: FixtureTensor;
  sin: FixtureTensor;
  x: FixtureTensor;
  rotated: FixtureTensor;
}

export interface XposTable {
  name: string;
  dim: number;
  context: number;
  window: number;
  scaleBase: number;
  /** [context, dim] */
  scales: FixtureTensor;
  /** [window, dim], in the last slots of the context. */
  q: FixtureTensor;
  k: FixtureTensor;
  rotatedQ: FixtureTensor;
  rotatedK: FixtureTensor;
}

export function localAttentionFixtures(): LocalAttentionFixture[] {
  return localAttention.cases;
}

export function localMHAFixtures(): LocalMHAFixture[] {
  return localMHA.cases as object[] as LocalMHAFixture[];
}

export function localTransformerFixtures(): LocalTransformerFixture[] {
  return localTransformer.cases as object[] as LocalTransformerFixture[];
}

export function lossesFixtures(): LossesFixture[] {
  return losses.cases;
}

export function rotaryFixtures(): {tables: RotaryTable[]; xpos: XposTable[]} {
  return rotary;
}
