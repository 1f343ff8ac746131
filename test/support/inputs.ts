/**
 * The tensors of a case, from a seed: the same numbers on every machine and for every consumer,
 * exactly representable in tensors, so that nobody's reference starts from other inputs.
 */
import * as tf from '@tensorflow/tfjs';

import {keepFactor} from '../../src/attention/dropout';
import type {LocalAttentionCall} from '../../src/attention/call';
import type {Case} from './cases';
import {boolTensor, tensor} from './close';
import type {NaiveConfig, NaiveInputs, Values} from './naive';
import {rounded} from './tolerance';

export interface CaseInputs {
  q: Values;
  k: Values;
  v: Values;
  /** The upstream gradient, of v's shape. */
  dout: Values;
  /** Mask, bias, window and dropout, as the naive reference takes them. */
  naive: NaiveInputs;
}

export function inputsOf(c: Case): CaseInputs {
  const {shape, dv = shape[shape.length - 1], amplitude = 1} = c;
  const random = generator(c.seed ?? hash(c.name));
  const [n] = shape.slice(-2);
  const heads = shape.slice(0, -2).reduce((a, b) => a * b, 1);
  const vShape = [...shape.slice(0, -1), dv];
  const q = uniform(random, shape, amplitude);
  const k = uniform(random, shape, amplitude);
  const v = uniform(random, vShape);
  const dout = uniform(random, vShape);

  const naive: NaiveInputs = {windowSize: c.windowSize};
  if (c.mask) {
    const {batch, keeps} = c.mask;
    const kept = Array.from({length: batch * n}, (_, at) => +keeps(Math.floor(at / n), at % n));
    naive.mask = {shape: [batch, n], data: kept};
  }
  if (c.bias) {
    const {window, context} = geometry(c);
    const table = [window, context];
    naive.attnBias = uniform(random, c.bias.heads === null ? table : [c.bias.heads, ...table], 2);
    const {blind, level = 0} = c.bias;
    const values = naive.attnBias.data as Float64Array;
    values.forEach((value, at) => {
      const [row, slot] = [Math.floor(at / context) % window, at % context];
      values[at] = rounded(value + (typeof level === 'number' ? level : level(row, slot)));
      if (blind?.(row, slot)) values[at] = -Infinity;
    });
  }
  if (c.dropout) {
    const dropout = {dropout: c.dropout.rate, seed: c.dropout.seed};
    naive.keep = (head, query, key) => keepFactor(dropout, head, query, key);
  }
  if (heads * n === 0) naive.keep = undefined;
  return {q, k, v, dout, naive};
}

/** The config of a case with its dropout. */
export function configOf(c: Case): NaiveConfig & {dropout?: number} {
  return c.dropout ? {...c.config, dropout: c.dropout.rate} : c.config;
}

/** The case's tensors for the op: what gradients may be asked of, the call, and the rest. */
export function tensorsOf(c: Case, {q, k, v, dout, naive}: CaseInputs) {
  const bias = naive.attnBias ? [tensor(naive.attnBias)] : [];
  const mask = naive.mask ? boolTensor(naive.mask) : null;
  const call: LocalAttentionCall = {mask, windowSize: c.windowSize};
  if (c.dropout) Object.assign(call, {training: true, seed: c.dropout.seed});
  const inputs: tf.Tensor[] = [tensor(q), tensor(k), tensor(v), ...bias];
  return {inputs, call, dout: tensor(dout), dispose: mask ? [mask] : []};
}

/** Window in force, and the slots of its context. */
export function geometry({config, windowSize}: Pick<Case, 'config' | 'windowSize'>) {
  const {lookBackward = 1, causal = false, lookForward = causal ? 0 : 1} = config;
  const window = windowSize ?? config.windowSize;
  return {window, context: (1 + lookBackward + lookForward) * window};
}

/** Numbers in [−amplitude, amplitude] that tensors hold exactly. */
export function uniform(random: () => number, shape: number[], amplitude = 1): Values {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float64Array.from({length: size}, () => rounded(amplitude * (2 * random() - 1)));
  return {shape, data};
}

/** Numbers in [0, 1), fixed by the seed: mulberry32 (Tommy Ettinger, public domain). */
export function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

function hash(name: string): number {
  return [...name].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7);
}
