/**
 * out = softmax(scores) v and logsumexp, 8 queries at a time, online over runs of 128 keys.
 *
 * The 8 queries stand in lanes: their values are packed as [d][8] and their results as [dv][8], so
 * that maximum, sum and rescaling are plain vector arithmetic and keys and values are read in the
 * order in which they lie. A block ends at the last key that any of its queries sees, and only
 * keys that some see and others do not are masked.
 */
import {
  contextLength,
  d,
  dv,
  endKey,
  firstKey,
  groupLength,
  phaseOrigin,
  roundUp8,
  threshold,
  transformsKeys,
} from './problem';
import {intoLane, prepareKey, prepareQuery} from './rows';
import {FARTHEST, LEAST, LOG2_E, STATE_BYTES, describe, keep, scoreBlock} from './scores';
import {exp2, finite, log2, multiply, multiplyCarefully} from './simd';

const RUN: i32 = 128;
// a maximum to start from, where the composite hides too (−5e29, in log₂): finite, so that −∞
// minus it is −∞
const FLOOR: f32 = -7.2e29;

/** Bytes of scratch that {@link attend} needs. */
export function forwardScratch(): i32 {
  const keys = transformsKeys() ? contextLength() * roundUp8(d) : 0;
  return <i32>STATE_BYTES + 64 + 4 * (RUN * 8 + 9 * roundUp8(d) + 8 * dv + keys);
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
  const state = scratch;
  const sums = state + STATE_BYTES; // maxima and sums of the 8 rows
  const scores = sums + 64;
  const row = scores + RUN * 32;
  const queries = row + ((<usize>roundUp8(d)) << 2);
  const mixed = queries + ((<usize>roundUp8(d)) << 5);
  const prepared = mixed + ((<usize>dv) << 5);
  const keyBytes: usize = (<usize>d) << 2;
  const valueBytes: usize = (<usize>dv) << 2;
  const group = groupLength();

  for (; start < end; start += group) {
    const origin = phaseOrigin(start);
    const stop = min(start + group, end);
    const firstOfGroup = firstKey(start);
    const endOfGroup = endKey(stop - 1); // the farthest of the group, in every mode
    const valuesOfGroup = v + <usize>firstOfGroup * valueBytes;
    const still = finite(valuesOfGroup, <usize>(endOfGroup - firstOfGroup) * valueBytes);
    if (transformsKeys()) {
      for (let j = firstOfGroup; j < endOfGroup; j++) {
        const to = prepared + <usize>(j - firstOfGroup) * keyBytes;
        prepareKey(k + <usize>j * keyBytes, to, j - origin);
      }
    }
    const keys = transformsKeys() ? prepared - <usize>firstOfGroup * keyBytes : k;

    for (let i = start; i < stop; i += 8) {
      const rows = min(8, stop - i);
      describe(state, i, rows, head);
      for (let lane = 0; lane < 8; lane++) {
        const query = i + min(lane, rows - 1);
        prepareQuery(q + <usize>query * keyBytes, row, query - origin);
        intoLane(row, queries, lane, d, LOG2_E);
      }
      clear(sums, mixed);
      const endOfBlock = load<i32>(state, FARTHEST);
      for (let j = load<i32>(state, LEAST); j < endOfBlock; j += RUN) {
        const count = min(RUN, endOfBlock - j);
        const at = keys + <usize>j * keyBytes;
        scoreBlock(state, queries, at, keyBytes, mask, bias, j, count, scores, 32);
        soften(scores, count, sums, mixed);
        if (threshold) drop(state, scores, j, count);
        const values = v + <usize>j * valueBytes;
        if (still) multiply(values, 4, valueBytes, scores, 32, mixed, 32, dv, count, true);
        else multiplyCarefully(values, 4, valueBytes, scores, 32, mixed, 32, dv, count, false);
      }
      finish(sums, mixed, rows, out + <usize>i * valueBytes, logSumExp + ((<usize>i) << 2));
    }
  }
}

function clear(sums: usize, mixed: usize): void {
  v128.store(sums, f32x4.splat(FLOOR));
  v128.store(sums, f32x4.splat(FLOOR), 16);
  v128.store(sums, f32x4.splat(0), 32);
  v128.store(sums, f32x4.splat(0), 48);
  memory.fill(mixed, 0, (<usize>dv) << 5);
}

/** Scores become weights relative to the maximum so far; what was summed before is rescaled. */
function soften(scores: usize, count: i32, sums: usize, mixed: usize): void {
  const end = scores + ((<usize>count) << 5);
  const old0 = v128.load(sums);
  const old1 = v128.load(sums, 16);
  let top0 = old0;
  let top1 = old1;
  for (let s = scores; s < end; s += 32) {
    top0 = f32x4.max(top0, v128.load(s));
    top1 = f32x4.max(top1, v128.load(s, 16));
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

function drop(state: usize, weights: usize, j: i32, count: i32): void {
  for (let key = j; key < j + count; key++) {
    v128.store(weights, f32x4.mul(v128.load(weights), keep(state, 0, key)));
    v128.store(weights, f32x4.mul(v128.load(weights, 16), keep(state, 16, key)), 16);
    weights += 32;
  }
}

/** Rows that see no key have a sum of 0: zeros, and a logsumexp that makes all weights 0. */
function finish(sums: usize, mixed: usize, rows: i32, out: usize, logSumExp: usize): void {
  for (let lane = 0; lane < rows; lane++) {
    const at = sums + ((<usize>lane) << 2);
    const top = load<f32>(at);
    const doubt: f32 = top - top; // NaN where a score was NaN or infinite, else 0
    const sum = load<f32>(at, 32) + doubt;
    const seen = sum != 0;
    const inverse: f32 = seen ? 1 / sum : 0;
    let from = mixed + ((<usize>lane) << 2);
    for (let c = 0; c < dv; c++) {
      store<f32>(out, load<f32>(from) * inverse);
      from += 32;
      out += 4;
    }
    store<f32>(
      logSumExp + ((<usize>lane) << 2),
      seen ? (top + log2(sum)) / LOG2_E + doubt : Infinity,
    );
  }
}
