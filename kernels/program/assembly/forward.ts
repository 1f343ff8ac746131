/**
 * out = softmax(scores) v and the statistics of each softmax, 8 or 16 queries at a time, online over
 * runs of 128 keys.
 *
 * The queries stand in the lanes of one or two blocks of 8: their values are packed as [headDim][8] and
 * their results as [valueDim][8], so that maximum, sum and rescaling are plain vector arithmetic. Keys
 * are packed four by four, once for all queries of a group; values are read as they lie. Blocks end at
 * the last key that any of their queries sees, and only keys that some see and others do not are masked.
 */
import {call} from './call';
import {k, keyBytes, out, q, softmaxStats, v, valueBytes} from './head';
import {eightIntoLanes, fromLanes, intoLanes} from './lanes';
import {Columns, eightsAtOnce, multiply, multiplyCarefully} from './multiply';
import {SPARE_BYTES, mixPair, scorePair} from './pairs';
import {changesKeys, placeKey, placeQuery, scaleRow} from './rows';
import {BLOCK_BYTES, FARTHEST, LEAST, describe, finishScores, keep, scoreBlocks} from './scores';
import {exp} from './simd';
import {angleOrigin, contextLength, endKey, firstKey, groupLength} from './windows';

const RUN: i32 = 128; // a power of two
const SCORE_BYTES: usize = <usize>RUN << 5;
const STAT_BYTES: usize = 64;
/** Least window for two blocks at once, which both meet the keys that either sees. */
const LEAST_FOR_TWO: i32 = 16;
/** Least window for blocks of 8: queries of smaller ones see their own keys by pairs, see pairs.ts. */
const LEAST_FOR_EIGHT: i32 = 8;
// a maximum to start from, where the composite hides too: finite, so that −∞ minus it is −∞
const FLOOR: f32 = -5e29;
// makes 2²⁴ weights, more than a row can have, sum to one at most; a power of two rounds nothing
const SHARE: f32 = 5.9604644775390625e-8;

// where the parts of scratch memory begin; of those of a block there are two, one after the other
let blocks: usize = 0; // the descriptions of 8 queries each
let stats: usize = 0; // their maxima [8], then their sums [8]
let scores: usize = 0; // [RUN][8]
let queries: usize = 0; // [headDim][8]
let outputs: usize = 0; // [valueDim][8]
let rows: usize = 0; // eight rows of q, or four of k
let keys: usize = 0; // fours of keys, each [headDim][4]
// and the bytes of those that depend on the call
let queryBytes: usize = 0;
let outputBytes: usize = 0;
let keyStride: usize = 0;

/** Whether the keys of the group are packed for pairs of queries: as columns, `keyStride` bytes of each channel. */
let inPairs: bool = false;

/** Lays out the scratch memory from `scratch` on; returns its end. */
function layOut(scratch: usize): usize {
  const headDim = <usize>call.headDim;
  queryBytes = headDim << 5;
  outputBytes = <usize>call.valueDim << 5;
  blocks = scratch;
  stats = blocks + 2 * BLOCK_BYTES;
  scores = stats + 2 * STAT_BYTES;
  queries = scores + 2 * SCORE_BYTES;
  outputs = queries + 2 * queryBytes;
  rows = outputs + 2 * outputBytes;
  keys = rows + queryBytes;
  keyStride = (<usize>((contextLength() + 3) >> 2) << 4) + SPARE_BYTES;
  return keys + keyStride * headDim;
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
    inPairs = call.windowSize < LEAST_FOR_EIGHT && contextLength() <= RUN;
    packKeys(first, endKey(stop - 1), origin); // the end is the farthest in every mode
    const together = call.windowSize < LEAST_FOR_TWO ? 8 : eightsAtOnce() << 3;
    for (let i = start; i < stop; i += together) {
      const count = min(together, stop - i);
      if (inPairs) {
        if (attendPairs(first, i, count, origin)) continue;
        inPairs = false;
        packKeys(first, endKey(stop - 1), origin);
      }
      loadQueries(i, count, origin);
      sumValues(first, count, false);
      // weights of 0 may have met NaN or infinity, from which they take nothing; or sums, not yet
      // divided, have left the range of float32
      if (finish(i, count, 1)) continue;
      sumValues(first, count, true);
      finish(i, count, 1 / SHARE);
    }
  }
}

/** Packs the keys first … end − 1. */
function packKeys(first: i32, end: i32, origin: i32): void {
  const step: usize = inPairs ? keyStride : 16;
  const changed = changesKeys();
  let to = keys;
  for (let j = first; j < end; j += 4) {
    const count = min(4, end - j);
    let from = k + <usize>j * keyBytes;
    if (changed) {
      for (let r = 0; r < count; r++) {
        placeKey(from + <usize>r * keyBytes, rows + <usize>r * keyBytes, j + r - origin);
      }
      from = rows;
    }
    intoLanes(from, keyBytes, count, call.headDim, to, step);
    to += inPairs ? 16 : keyBytes << 2;
  }
}

/**
 * The queries i … i + count − 1, whose keys are one run, by pairs. Answers whether all is finite; else
 * it must be done as for other windows.
 */
function attendPairs(first: i32, i: i32, count: i32, origin: i32): bool {
  describe(blocks, i, count, 0);
  for (let r = 0; r < ((count + 1) & ~1); r++) {
    const query = i + min(r, count - 1);
    placeQuery(q + <usize>query * keyBytes, rows + <usize>r * keyBytes, query - origin);
  }
  const j = load<i32>(blocks, LEAST);
  const seen = load<i32>(blocks, FARTHEST) - j;
  const columns = keys + (<usize>(j - first) << 2);
  for (let r: usize = 0; r < <usize>count; r += 2) {
    scorePair(blocks, r, rows + r * keyBytes, j, columns, keyStride, scores);
  }
  finishScores(blocks, j, seen, scores, 32);
  clear(stats);
  onlineSoftmax(scores, stats, outputs, seen, false);
  if (call.dropThreshold) drop(blocks, scores, j, seen);
  let finite = true;
  for (let r: i32 = 0; r < count; r += 2) {
    const to = out + <usize>(i + r) * valueBytes;
    const other = min(r + 1, count - 1);
    const factor = finishRow(r, i + r);
    const otherFactor = finishRow(other, i + other);
    const otherTo = out + <usize>(i + other) * valueBytes;
    finite = mixPair(blocks, r, j, scores, factor, otherFactor, to, otherTo) && finite;
  }
  return finite;
}

/** Writes the statistics of the query in a lane; returns the inverse of its sum, or 0. */
function finishRow(lane: i32, query: i32): f32 {
  const at = stats + ((<usize>lane) << 2);
  const top = load<f32>(at);
  const sum = load<f32>(at, 32) + (top - top); // NaN where a score was NaN or infinite
  const pair = softmaxStats + ((<usize>query) << 3);
  store<f32>(pair, top);
  store<f32>(pair, sum, 4);
  return sum == 0 ? 0 : 1 / sum;
}

/** The statistics of a block that has seen no key. */
function clear(stat: usize): void {
  v128.store(stat, f32x4.splat(FLOOR));
  v128.store(stat, f32x4.splat(FLOOR), 16);
  v128.store(stat, f32x4.splat(0), 32);
  v128.store(stat, f32x4.splat(0), 48);
}

/** Describes and packs the queries i … i + count − 1, 8 to a block. */
function loadQueries(i: i32, count: i32, origin: i32): void {
  let block = blocks;
  let lanes = queries;
  for (let first = i; first < i + count; first += 8) {
    const inBlock = min(8, i + count - first);
    describe(block, first, inBlock, lanes);
    if (call.queryAngles) {
      for (let r = 0; r < inBlock; r++) {
        const query = first + r;
        placeQuery(q + <usize>query * keyBytes, rows + <usize>r * keyBytes, query - origin);
      }
      eightIntoLanes(rows, keyBytes, inBlock, call.headDim, lanes);
    } else {
      eightIntoLanes(q + <usize>first * keyBytes, keyBytes, inBlock, call.headDim, lanes, call.scale);
    }
    block += BLOCK_BYTES;
    lanes += queryBytes;
  }
}

/**
 * Sums up the values of all keys that the blocks of `queries` see; `first` is the first of the packed
 * keys. Carefully, what is not finite meets no weight of 0, and all sums are {@link SHARE} of themselves.
 */
function sumValues(first: i32, queries: i32, carefully: bool): void {
  const eights = (queries + 7) >> 3;
  const valueDim = call.valueDim;
  for (let e = 0; e < eights; e++) clear(stats + <usize>e * STAT_BYTES);
  const end = load<i32>(blocks + <usize>(eights - 1) * BLOCK_BYTES, FARTHEST);
  // a run begins where four packed keys do, and where another ends for any blocks of the group, so that
  // a query's sums are the same whichever block it is in
  const least = first + ((load<i32>(blocks, LEAST) - first) & ~3);
  let count = 0;
  for (let j = least; j < end; j += count) {
    count = min(RUN - ((j - first) & (RUN - 1)), end - j);
    const packed = keys + <usize>(j - first) * keyBytes;
    scoreBlocks(blocks, eights, packed, j, count, scores, SCORE_BYTES, 32);
    // of the four in which the first visible key is
    const hidden = max(0, load<i32>(blocks, LEAST) - j);
    const seen = scores + (<usize>hidden << 5);
    const seenCount = count - hidden;
    for (let e: usize = 0; e < <usize>eights; e++) {
      const ofBlock = seen + e * SCORE_BYTES;
      onlineSoftmax(ofBlock, stats + e * STAT_BYTES, outputs + e * outputBytes, seenCount, j == least);
      if (call.dropThreshold) drop(blocks + e * BLOCK_BYTES, ofBlock, j + hidden, seenCount);
    }
    const values = v + <usize>(j + hidden) * valueBytes;
    if (carefully) {
      for (let e: usize = 0; e < <usize>eights; e++) {
        const ofBlock = seen + e * SCORE_BYTES;
        scaleRow(ofBlock, ofBlock, seenCount << 3, SHARE);
        multiplyCarefully<Columns>(values, ofBlock, outputs + e * outputBytes, 32, valueDim, seenCount);
      }
    } else {
      multiply<Columns>(values, seen, outputs, 32, valueDim, seenCount, eights, SCORE_BYTES, outputBytes);
    }
  }
}

/**
 * Scores become weights relative to the maximum so far; what was summed before is rescaled, which is
 * nothing before the first run.
 */
function onlineSoftmax(
  scores: usize,
  stats: usize,
  outputs: usize,
  count: i32,
  isFirst: bool,
): void {
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
  if (isFirst) {
    memory.fill(outputs, 0, outputBytes);
  } else if (v128.any_true(v128.or(f32x4.ne(top0, old0), f32x4.ne(top1, old1)))) {
    const shrink0 = exp(f32x4.sub(old0, top0));
    const shrink1 = exp(f32x4.sub(old1, top1));
    sum0 = f32x4.mul(sum0, shrink0);
    sum1 = f32x4.mul(sum1, shrink1);
    const stop = outputs + outputBytes;
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
function drop(block: usize, weights: usize, j: i32, count: i32): void {
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
    const block = <usize>(half >> 3);
    const column = (<usize>half & 4) << 2;
    const at = stats + block * STAT_BYTES + column;
    const top = v128.load(at);
    // NaN where a score was NaN or infinite
    const sum = f32x4.add(v128.load(at, 32), f32x4.sub(top, top));
    const factors = f32x4.mul(reciprocal(sum), f32x4.splat(whole));
    const rows = min(4, count - half);
    const to = out + <usize>(i + half) * valueBytes;
    const from = outputs + block * outputBytes + column;
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
