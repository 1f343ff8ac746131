/** The PyTorch original's answers, written by scripts/make_fixtures.py, with their types. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

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
  return load<{cases: LocalAttentionFixture[]}>('local_attention').cases;
}

export function localMHAFixtures(): LocalMHAFixture[] {
  return load<{cases: LocalMHAFixture[]}>('local_mha').cases;
}

export function rotaryFixtures(): {tables: RotaryTable[]; xpos: XposTable[]} {
  return load('rotary');
}

function load<T>(name: string): T {
  return JSON.parse(readFileSync(join(__dirname, '..', 'fixtures', `${name}.json`), 'utf8')) as T;
}
