/**
 * out = softmax(scores) v and the statistics of each softmax, 8 queries at a time, online over runs
 * of 128 keys.
 *
 * The 8 queries stand in lanes: their values are packed as [headDim][8] and their results as
 * [valueDim][8], so that maximum, sum and rescaling are plain vector arithmetic. Keys are packed four
 * by four, once for all queries of a group; values are read as they lie. A block ends at the last
 * key that any of its queries sees, and only keys that some see and others do not are masked.
 */
import {call} from './call';
import {k, keyBytes, out, q, softmaxStats, v, valueBytes} from './head';
import {eightIntoLanes, fromLanes, intoLanes, packFours} from './lanes';
import {Columns, multiply, multiplyCarefully} from './multiply';
import {changesKeys, placeKey, placeQuery, scaleRow} from './rows';
import {BLOCK_BYTES, FARTHEST, LEAST, describe, keep, scoreBlock} from './scores';
import {exp} from './simd';
import {angleOrigin, contextLength, endKey, firstKey, groupLength} from './windows';

const RUN: i32 = 128;
// a maximum to start from, where the composite hides too: finite, so that −∞ minus it is −∞
const FLOOR: f32 = -5e29;
// makes 2²⁴ weights, more than a row can have, sum to one at most; a power of two rounds nothing
const SHARE: f32 = 5.9604644775390625e-8;

// where the parts of scratch memory begin
let block: usize = 0; // the description of the 8 queries
let stats: usize = 0; // their maxima [8], then their sums [8]
let scores: usize = 0; // [RUN][8]
let rows: usize = 0; // eight rows of q, or four of k
let queries: usize = 0; // [headDim][8]
let outputs: usize = 0; // [valueDim][8]
let keys: usize = 0; // fours of keys, each [headDim][4]

/** Lays out the scratch memory from `scratch` on; returns its end. */
function layOut(scratch: usize): usize {
  const headDim = <usize>call.headDim;
  block = scratch;
  stats = block + BLOCK_BYTES;
  scores = stats + 64;
  rows = scores + RUN * 32;
  queries = rows + (headDim << 5);
  outputs = queries + (headDim << 5);
  keys = outputs + (<usize>call.valueDim << 5);
  return keys + ((<usize>((contextLength() + 3) >> 2) * headDim) << 4);
}

/** Bytes of scratch that {@link attend} needs. */
export function forwardScratch(): i32 {
  return <i32>layOut(0);
}

/** The queries start … end − 1 of the head, whole groups. */
export function attend(start: i32, end: i32, scratch: usize): void {
  layOut(scratch);
  const group = groupLength();
  for (; start < end; start += group) {
    const origin = angleOrigin(start);
    const stop = min(start + group, end);
    const first = firstKey(start);
    packKeys(first, endKey(stop - 1), origin); // the end is the farthest in every mode
    for (let i = start; i < stop; i += 8) {
      const count = min(8, stop - i);
      describe(block, i, count, queries);
      packQueries(i, count, origin);
      sumValues(first, false);
      // weights of 0 may have met NaN or infinity, from which they take nothing; or sums, not yet
      // divided, have left the range of float32
      if (finish(i, count, 1)) continue;
      sumValues(first, true);
      finish(i, count, 1 / SHARE);
    }
  }
}

/** Packs the keys first … end − 1. */
function packKeys(first: i32, end: i32, origin: i32): void {
  const from = k + <usize>first * keyBytes;
  if (!changesKeys()) return packFours(from, keyBytes, end - first, call.headDim, keys);
  let to = keys;
  for (let j = first; j < end; j += 4) {
    const count = min(4, end - j);
    for (let r = 0; r < count; r++) {
      placeKey(k + <usize>(j + r) * keyBytes, rows + <usize>r * keyBytes, j + r - origin);
    }
    intoLanes(rows, keyBytes, count, call.headDim, to, 16);
    to += keyBytes << 2;
  }
}

/** Packs the queries i … i + count − 1. */
function packQueries(i: i32, count: i32, origin: i32): void {
  for (let r = 0; r < count; r++) {
    placeQuery(q + <usize>(i + r) * keyBytes, rows + <usize>r * keyBytes, i + r - origin);
  }
  eightIntoLanes(rows, keyBytes, count, call.headDim, queries);
}

/**
 * Sums up the values of all keys that the block sees; `first` is the first of the packed keys.
 * Carefully, what is not finite meets no weight of 0, and all sums are {@link SHARE} of themselves.
 */
function sumValues(first: i32, carefully: bool): void {
  v128.store(stats, f32x4.splat(FLOOR));
  v128.store(stats, f32x4.splat(FLOOR), 16);
  v128.store(stats, f32x4.splat(0), 32);
  v128.store(stats, f32x4.splat(0), 48);
  const valueDim = call.valueDim;
  memory.fill(outputs, 0, <usize>valueDim << 5);
  const end = load<i32>(block, FARTHEST);
  // runs begin where four packed keys do; what is before LEAST is hidden
  const least = first + ((load<i32>(block, LEAST) - first) & ~3);
  for (let j = least; j < end; j += RUN) {
    const count = min(RUN, end - j);
    scoreBlock(block, keys + <usize>(j - first) * keyBytes, j, count, scores, 32);
    onlineSoftmax(count);
    if (call.dropThreshold) drop(j, count);
    const values = v + <usize>j * valueBytes;
    if (carefully) {
      scaleRow(scores, scores, count << 3, SHARE);
      multiplyCarefully<Columns>(values, scores, outputs, 32, valueDim, count);
    } else {
      multiply<Columns>(values, scores, outputs, 32, valueDim, count);
    }
  }
}

/** Scores become weights relative to the maximum so far; what was summed before is rescaled. */
function onlineSoftmax(count: i32): void {
  const end = scores + ((<usize>count) << 5);
  const old0 = v128.load(stats);
  const old1 = v128.load(stats, 16);
  let top0 = old0;
  let top1 = old1;
  for (let s = scores; s < end; s += 32) {
    // one instruction, unlike max; a NaN gets into the sum by its weight
    top0 = f32x4.pmax(top0, v128.load(s));
    top1 = f32x4.pmax(top1, v128.load(s, 16));
  }
  let sum0 = v128.load(stats, 32);
  let sum1 = v128.load(stats, 48);
  if (v128.any_true(v128.or(f32x4.ne(top0, old0), f32x4.ne(top1, old1)))) {
    const shrink0 = exp(f32x4.sub(old0, top0));
    const shrink1 = exp(f32x4.sub(old1, top1));
    sum0 = f32x4.mul(sum0, shrink0);
    sum1 = f32x4.mul(sum1, shrink1);
    const stop = outputs + (<usize>call.valueDim << 5);
    for (let o = outputs; o < stop; o += 32) {
      v128.store(o, f32x4.mul(v128.load(o), shrink0));
      v128.store(o, f32x4.mul(v128.load(o, 16), shrink1), 16);
    }
  }
  for (let s = scores; s < end; s += 32) {
    const weight0 = exp(f32x4.sub(v128.load(s), top0));
    const weight1 = exp(f32x4.sub(v128.load(s, 16), top1));
    sum0 = f32x4.add(sum0, weight0);
    sum1 = f32x4.add(sum1, weight1);
    v128.store(s, weight0);
    v128.store(s, weight1, 16);
  }
  v128.store(stats, top0);
  v128.store(stats, top1, 16);
  v128.store(stats, sum0, 32);
  v128.store(stats, sum1, 48);
}

/** Dropout of the weights of the keys j … j + count − 1. */
function drop(j: i32, count: i32): void {
  let weights = scores;
  for (let key = j; key < j + count; key++) {
    v128.store(weights, f32x4.mul(v128.load(weights), keep(block, 0, key)));
    v128.store(weights, f32x4.mul(v128.load(weights, 16), keep(block, 16, key)), 16);
    weights += 32;
  }
}

/**
 * Writes the rows i … i + count − 1, `whole` times what was summed, and says whether all are finite.
 * Rows that see no key have a sum of 0, and are zeros.
 */
function finish(i: i32, count: i32, whole: f32): bool {
  let finite = true;
  for (let half = 0; half < count; half += 4) {
    const at = stats + ((<usize>half) << 2);
    const top = v128.load(at);
    // NaN where a score was NaN or infinite
    const sum = f32x4.add(v128.load(at, 32), f32x4.sub(top, top));
    const factors = f32x4.mul(reciprocal(sum), f32x4.splat(whole));
    const rows = min(4, count - half);
    const to = out + <usize>(i + half) * valueBytes;
    const from = outputs + ((<usize>half) << 2);
    finite = fromLanes(from, factors, rows, call.valueDim, to) && finite;
    for (let row = 0; row < rows; row++) {
      const lane = at + ((<usize>row) << 2);
      const pair = softmaxStats + ((<usize>(i + half + row)) << 3);
      const top = load<f32>(lane);
      store<f32>(pair, top);
      store<f32>(pair, load<f32>(lane, 32) + (top - top), 4);
    }
  }
  return finite;
}

/** 1 / x, and 0 for 0. */
// @ts-ignore: decorator
@inline
function reciprocal(x: v128): v128 {
  return v128.and(f32x4.div(f32x4.splat(1), x), f32x4.ne(x, f32x4.splat(0)));
}
