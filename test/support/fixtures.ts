/** The PyTorch original's answers, written by scripts/make_fixtures.py, with their types. */
import localAttention from '../fixtures/local_attention.json';
import localMHA from '../fixtures/local_mha.json';
import rotary from '../fixtures/rotary.json';
import type {NaiveConfig, NaiveMHAConfig} from './naive';

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

export function rotaryFixtures(): {tables: RotaryTable[]; xpos: XposTable[]} {
  return rotary;
}
