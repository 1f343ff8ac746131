/** Calls whose inputs hold NaN or infinities, and which rows of the results those have reached. */
import * as tf from '@tensorflow/tfjs';

import {LocalAttentionArgs, localAttention} from '../../src';
import type {LocalAttentionCall} from '../../src/attention/call';
import {expectClose, tensor} from './close';
import {generator, uniform} from './inputs';
import type {Values} from './naive';
import {gradientTolerance} from './tolerance';

export const HEADS = 3;
export const TOKENS = 78; // two groups of the kernels, or two tiles of 64 in one
export const CHANNELS = 6;

/** Modes in which a query sees keys in different ways. */
export const MODES: [string, LocalAttentionArgs][] = [
  ['bidirectional', {windowSize: 5}],
  ['causal', {windowSize: 5, causal: true}],
  ['causal, exact, look back 2', {windowSize: 5, causal: true, exactWindowsize: true, lookBackward: 2}], // prettier-ignore
  ['exact', {windowSize: 7, exactWindowsize: true}],
  ['own window only', {windowSize: 5, lookBackward: 0, lookForward: 0}],
  ['window 20, causal', {windowSize: 20, causal: true}],
  ['one window, causal', {windowSize: 100, causal: true}],
  ['shared qk', {windowSize: 5, sharedQk: true, causal: true}],
  ['xpos', {windowSize: 6, useXpos: true}],
];

export type Inputs = Record<'q' | 'k' | 'v', Values>;

export function inputs(): Inputs {
  const random = generator(3);
  const make = () => uniform(random, [HEADS, TOKENS, CHANNELS]);
  return {q: make(), k: make(), v: make()};
}

export function upstream(): Values {
  return uniform(generator(4), [HEADS, TOKENS, CHANNELS]);
}

/** The output, and the gradients by q, k, v and (where there is one) the bias. */
export async function results(
  config: LocalAttentionArgs,
  {q, k, v}: Inputs,
  call: LocalAttentionCall = {},
  dout = upstream(),
): Promise<Float32Array[]> {
  const bias = call.attnBias ? [call.attnBias] : [];
  const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, attnBias?: tf.Tensor) =>
    localAttention(q, k, v, {...config, autopad: true}, {...call, attnBias});
  const {value, grads} = tf.valueAndGrads(f)([...[q, k, v].map(tensor), ...bias], tensor(dout));
  return Promise.all([value, ...grads].map((x) => x.data<'float32'>()));
}

export interface Place {
  head: number;
  token: number;
  channel: number;
}

export function put(x: Values, {head, token, channel}: Place, value: number): void {
  (x.data as Float64Array)[(head * TOKENS + token) * CHANNELS + channel] = value;
}

/** A row is head · TOKENS + token. */
export function rowOf(x: Float32Array, row: number): Float32Array {
  return x.subarray(row * CHANNELS, (row + 1) * CHANNELS);
}

export function rowsWhere(holds: (head: number, token: number) => boolean): number[] {
  const rows = Array.from({length: HEADS * TOKENS}, (_, row) => row);
  return rows.filter((row) => holds(Math.floor(row / TOKENS), row % TOKENS));
}

/** The rows that hold NaN or infinities. */
export function spoiltRows(x: Float32Array): number[] {
  return rowsWhere((head, token) => !rowOf(x, head * TOKENS + token).every(Number.isFinite));
}

export function queries(): number[] {
  return Array.from({length: TOKENS}, (_, i) => i);
}

/** The definition, without a mask. */
export function sees(config: LocalAttentionArgs, i: number, j: number): boolean {
  const {windowSize: w, causal, exactWindowsize} = config;
  const lookBackward = config.lookBackward ?? 1;
  const lookForward = config.lookForward ?? (causal ? 0 : 1);
  const windows = Math.floor(j / w) - Math.floor(i / w);
  if (windows < -lookBackward || windows > lookForward || (causal && j > i)) return false;
  return !exactWindowsize || (i - j <= lookBackward * w && j - i <= lookForward * w);
}

/** Whether a key has weight: with sharedQk a token that sees others takes nothing of itself. */
export function takes(config: LocalAttentionArgs, i: number, j: number): boolean {
  return sees(config, i, j) && !(config.sharedQk === true && i === j && i > 0);
}

/** The same bits, if perhaps zeros of another sign; on `tensorflow` as in expectSame, only close. */
export async function expectUnchanged(got: Float32Array, want: Float32Array): Promise<void> {
  if (tf.getBackend() !== 'tensorflow') {
    // toEqual takes milliseconds for what is equal, and there are thousands
    if (got.length === want.length && got.every((x, at) => Object.is(x + 0, want[at] + 0))) return;
    expect(got.map((x) => x + 0)).toEqual(want.map((x) => x + 0));
    return;
  }
  const sizes = {d: CHANNELS, context: 100, largestScore: 3};
  const wanted = {shape: [want.length], data: want};
  await expectClose('result', tf.tensor1d(got), wanted, gradientTolerance(sizes));
}

/** The rows of x outside of `rows`. */
export function without(x: Float32Array, rows: number[]): Float32Array {
  const left = new Set(rows);
  return x.filter((_, at) => !left.has(Math.floor(at / CHANNELS)));
}
