/**
 * Dropout by a counter instead of a stream: whether a weight is kept is a hash of (seed, head,
 * query, key) alone. Forward and backward agree without storing a mask, and so do all backends
 * and implementations, in whatever order they visit the weights.
 */
import * as tf from '@tensorflow/tfjs';

import type {Problem} from './problem';
import {layoutOf} from './windows';

/**
 * Factors of the attention weights: 0 with probability `dropout`, else 1 / (1 − dropout).
 * [b, windows, w, C]; null without dropout.
 */
export function keepFactors(p: Problem): tf.Tensor4D | null {
  if (p.dropout === 0) return null;
  const {b, windows, padded, back, context} = layoutOf(p);
  const factors = new Float32Array(b * windows * p.windowSize * context);
  let at = 0;
  for (let head = 0; head < b; head++) {
    for (let query = 0; query < padded; query++) {
      const row = rowOf(p.seed, head, query);
      const firstKey = (Math.floor(query / p.windowSize) - back) * p.windowSize;
      for (let slot = 0; slot < context; slot++) {
        factors[at++] = factorOf(p.dropout, row, firstKey + slot);
      }
    }
  }
  return tf.tensor4d(factors, [b, windows, p.windowSize, context]);
}

/** Such factors for a matrix, one hash for each element. */
export function keepElements([rows, columns]: number[], rate: number, seed: number): tf.Tensor2D {
  const factors = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const row = rowOf(seed, 0, i);
    for (let j = 0; j < columns; j++) factors[i * columns + j] = factorOf(rate, row, j);
  }
  return tf.tensor2d(factors, [rows, columns]);
}

/** One of {@link keepFactors}: that of `key` for `query`, counted in tokens, in head 0 … b − 1. */
export function keepFactor(
  p: Pick<Problem, 'dropout' | 'seed'>,
  head: number,
  query: number,
  key: number,
): number {
  return factorOf(p.dropout, rowOf(p.seed, head, query), key);
}

/** The seed of step `step` of a run that began with `seed`. */
export function seedOfStep(seed: number, step: number): number {
  return hash(hash(seed) + step);
}

interface Row {
  start: number;
  step: number;
}

// A Weyl sequence of its own for each row: two rows never walk the same numbers side by side.
function rowOf(seed: number, head: number, query: number): Row {
  const start = hash(hash(hash(seed) + head) + query);
  return {start, step: hash(start ^ 0x9e3779b9) | 1};
}

function factorOf(rate: number, row: Row, key: number): number {
  const bits = hash(row.start + Math.imul(key, row.step)); // 32 of them, unsigned
  return bits < rate * 2 ** 32 ? 0 : 1 / (1 - rate);
}

/** The 32-bit finaliser of MurmurHash3 (Austin Appleby, public domain). */
function hash(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** The seed whose head 0 is head `head` of `seed`. */
export function seedFrom(seed: number, head: number): number {
  return unhash(hash(seed) + head);
}

/** What {@link hash} makes x of. */
function unhash(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7ed1b41d);
  x = Math.imul(x ^ (x >>> 13) ^ (x >>> 26), 0xa5cb9243);
  return (x ^ (x >>> 16)) >>> 0;
}
