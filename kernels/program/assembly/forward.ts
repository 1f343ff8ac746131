/**
 * out = softmax(scores) v and logsumexp, 8 queries at a time, online over runs of 128 keys.
 *
 * The 8 queries stand in lanes: their values are packed as [d][8] and their results as [dv][8], so
 * that maximum, sum and rescaling are plain vector arithmetic. Keys are packed four by four, once
 * for all queries of a group; values are read as they lie. A block ends at the last key that any of
 * its queries sees, and only keys that some see and others do not are masked.
 */
import {
  contextLength,
  d,
  dv,
  endKey,
  firstKey,
  groupLength,
  phaseOrigin,
  threshold,
} from './problem';
import {eightIntoLanes, fromLanes, intoLanes} from './lanes';
import {keyRow, queryRow} from './rows';
import {FARTHEST, LEAST, LOG2_E, STATE_BYTES, describe, keep, scoreBlock} from './scores';
import {Beside, exp2, log2, multiply, multiplyCarefully} from './simd';

const RUN: i32 = 128;
// a maximum to start from, where the composite hides too (−5e29, in log₂): finite, so that −∞
// minus it is −∞
const FLOOR: f32 = -7.2e29;

// where the parts of scratch memory begin
let state: usize = 0; // of the block
let sums: usize = 0; // maxima and sums of the 8 rows
let scores: usize = 0; // [RUN][8]
let rows: usize = 0; // eight rows of q, four of k, or one of v
let queries: usize = 0; // [d][8]
let mixed: usize = 0; // [dv][8]
let keys: usize = 0; // fours of keys, each [d][4]

/** Lays out the scratch memory from `scratch` on; returns its end. */
function layOut(scratch: usize): usize {
  state = scratch;
  sums = state + STATE_BYTES;
  scores = sums + 64;
  rows = scores + RUN * 32;
  queries = rows + ((<usize>max(8 * d, dv)) << 2);
  mixed = queries + ((<usize>d) << 5);
  keys = mixed + ((<usize>dv) << 5);
  return keys + ((<usize>((contextLength() + 3) >> 2) * <usize>d) << 4);
}

/** Bytes of scratch that {@link attend} needs. */
export function forwardScratch(): i32 {
  return <i32>layOut(0);
}

/** The queries start … end − 1 of one head, whole groups. All pointers are to the head's own rows. */
export function attend(
  q: usize,
  k: usize,
  v: usize,
  mask: usize,
  bias: usize,
  head: i32,
  out: usize,
  logSumExp: usize,
  start: i32,
  end: i32,
  scratch: usize,
): void {
  layOut(scratch);
  const group = groupLength();
  for (; start < end; start += group) {
    const origin = phaseOrigin(start);
    const stop = min(start + group, end);
    const first = firstKey(start);
    packKeys(k, first, endKey(stop - 1), origin); // the end is the farthest in every mode
    for (let i = start; i < stop; i += 8) {
      const count = min(8, stop - i);
      describe(state, i, count, head);
      packQueries(q, i, count, origin);
      const outs = out + ((<usize>i * <usize>dv) << 2);
      const logs = logSumExp + ((<usize>i) << 2);
      mix(v, mask, bias, first, false);
      // weights of 0 may have met NaN or infinity, from which they take nothing
      if (!finish(count, outs, logs)) {
        mix(v, mask, bias, first, true);
        finish(count, outs, logs);
      }
    }
  }
}

/** Packs the keys first … end − 1; the last is repeated where four are not full. */
function packKeys(k: usize, first: i32, end: i32, origin: i32): void {
  const bytes: usize = (<usize>d) << 2;
  let to = keys;
  for (let j = first; j < end; j += 4) {
    const j1 = min(j + 1, end - 1);
    const j2 = min(j + 2, end - 1);
    const j3 = min(j + 3, end - 1);
    const r0 = keyRow(k + <usize>j * bytes, rows, j - origin);
    const r1 = keyRow(k + <usize>j1 * bytes, rows + bytes, j1 - origin);
    const r2 = keyRow(k + <usize>j2 * bytes, rows + 2 * bytes, j2 - origin);
    const r3 = keyRow(k + <usize>j3 * bytes, rows + 3 * bytes, j3 - origin);
    intoLanes(r0, r1, r2, r3, d, 1, to, 16);
    to += bytes << 2;
  }
}

/** Packs the queries i … i + count − 1; the last is repeated where eight are not full. */
function packQueries(q: usize, i: i32, count: i32, origin: i32): void {
  const bytes: usize = (<usize>d) << 2;
  for (let lane = 0; lane < 8; lane++) {
    const query = i + min(lane, count - 1);
    queryRow(q + <usize>query * bytes, rows + <usize>lane * bytes, query - origin);
  }
  // scaled first: the product of both factors would be rounded the same way for all numbers
  eightIntoLanes(rows, bytes, d, LOG2_E, queries);
}

/** Sums up the values of all keys that the block sees; `first` is the first of the packed keys. */
function mix(v: usize, mask: usize, bias: usize, first: i32, carefully: bool): void {
  v128.store(sums, f32x4.splat(FLOOR));
  v128.store(sums, f32x4.splat(FLOOR), 16);
  v128.store(sums, f32x4.splat(0), 32);
  v128.store(sums, f32x4.splat(0), 48);
  memory.fill(mixed, 0, (<usize>dv) << 5);
  const valueBytes: usize = (<usize>dv) << 2;
  const end = load<i32>(state, FARTHEST);
  // runs begin where four packed keys do; what is before LEAST is hidden
  const least = first + ((load<i32>(state, LEAST) - first) & ~3);
  for (let j = least; j < end; j += RUN) {
    const count = min(RUN, end - j);
    const at = keys + ((<usize>(j - first) * <usize>d) << 2);
    scoreBlock(state, queries, at, mask, bias, j, count, scores, 32);
    soften(count);
    if (threshold) drop(j, count);
    const values = v + <usize>j * valueBytes;
    if (carefully) multiplyCarefully(values, 4, valueBytes, scores, 32, mixed, 32, dv, count, false);
    else multiply<Beside>(values, 16, valueBytes, scores, 32, mixed, 32, dv, count);
  }
}

/** Scores become weights relative to the maximum so far; what was summed before is rescaled. */
function soften(count: i32): void {
  const end = scores + ((<usize>count) << 5);
  const old0 = v128.load(sums);
  const old1 = v128.load(sums, 16);
  let top0 = old0;
  let top1 = old1;
  for (let s = scores; s < end; s += 32) {
    // one instruction, unlike max; a NaN gets into the sum by its weight
    top0 = f32x4.pmax(top0, v128.load(s));
    top1 = f32x4.pmax(top1, v128.load(s, 16));
  }
  let sum0 = v128.load(sums, 32);
  let sum1 = v128.load(sums, 48);
  if (v128.any_true(v128.or(f32x4.ne(top0, old0), f32x4.ne(top1, old1)))) {
    const shrink0 = exp2(f32x4.sub(old0, top0));
    const shrink1 = exp2(f32x4.sub(old1, top1));
    sum0 = f32x4.mul(sum0, shrink0);
    sum1 = f32x4.mul(sum1, shrink1);
    const stop = mixed + ((<usize>dv) << 5);
    for (let o = mixed; o < stop; o += 32) {
      v128.store(o, f32x4.mul(v128.load(o), shrink0));
      v128.store(o, f32x4.mul(v128.load(o, 16), shrink1), 16);
    }
  }
  for (let s = scores; s < end; s += 32) {
    const weight0 = exp2(f32x4.sub(v128.load(s), top0));
    const weight1 = exp2(f32x4.sub(v128.load(s, 16), top1));
    sum0 = f32x4.add(sum0, weight0);
    sum1 = f32x4.add(sum1, weight1);
    v128.store(s, weight0);
    v128.store(s, weight1, 16);
  }
  v128.store(sums, top0);
  v128.store(sums, top1, 16);
  v128.store(sums, sum0, 32);
  v128.store(sums, sum1, 48);
}

/** Dropout of the weights of the keys j … j + count − 1. */
function drop(j: i32, count: i32): void {
  let weights = scores;
  for (let key = j; key < j + count; key++) {
    v128.store(weights, f32x4.mul(v128.load(weights), keep(state, 0, key)));
    v128.store(weights, f32x4.mul(v128.load(weights, 16), keep(state, 16, key)), 16);
    weights += 32;
  }
}

/**
 * Writes `count` rows, and says whether all are finite. Rows that see no key have a sum of 0: zeros,
 * and a logsumexp that makes all weights 0.
 */
function finish(count: i32, out: usize, logSumExp: usize): bool {
  let finite = true;
  for (let half = 0; half < 8; half += 4) {
    const at = sums + ((<usize>half) << 2);
    const top = v128.load(at);
    // NaN where a score was NaN or infinite, else 0
    const sum = f32x4.add(v128.load(at, 32), f32x4.sub(top, top));
    const seen = f32x4.ne(sum, f32x4.splat(0));
    const inverse = v128.and(f32x4.div(f32x4.splat(1), sum), seen);
    v128.store(at, sum, 32);
    const from = mixed + ((<usize>half) << 2);
    const r0 = row(out, half, count);
    const r1 = row(out, half + 1, count);
    const r2 = row(out, half + 2, count);
    const r3 = row(out, half + 3, count);
    finite = fromLanes(from, 32, inverse, dv, r0, r1, r2, r3) && finite;
  }
  for (let lane = 0; lane < count; lane++) {
    const at = sums + ((<usize>lane) << 2);
    const sum = load<f32>(at, 32);
    const total: f32 = sum != 0 ? (load<f32>(at) + log2(sum)) / LOG2_E + (sum - sum) : Infinity;
    store<f32>(logSumExp + ((<usize>lane) << 2), total);
  }
  return finite;
}

/** Where row `lane` is written: where nobody looks if it is none of the `count` rows. */
function row(out: usize, lane: i32, count: i32): usize {
  return lane < count ? out + ((<usize>lane * <usize>dv) << 2) : rows;
}
