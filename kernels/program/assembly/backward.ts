/**
 * The gradient, from the inputs, the output and its logsumexp: weights are computed again, so that
 * nothing of the scores' size is ever kept. Up to 64 queries meet 64 keys at a time:
 *
 *     P = exp(S − logsumexp)     dV += (P ∘ keep)ᵀ dO     dP = (dO Vᵀ) ∘ keep
 *     D = rowsum(dO ∘ O)         dS = P ∘ (dP − D)        dQ += dS K      dK += dSᵀ Q
 *
 * Scores, dP and dS lie as [64 keys][64 queries]; all five products are made of the same tile.
 * A key is met by the queries of several groups, always in the same order.
 */
import {
  back,
  contextLength,
  d,
  dv,
  endKey,
  firstKey,
  groupLength,
  keyTable,
  phaseOrigin,
  queryTable,
  roundUp8,
  scale,
  sharedQk,
  threshold,
  transformsKeys,
  w,
} from './problem';
import {eightIntoLanes, intoLanes} from './lanes';
import {addRow, inverseNorm, keyRow, queryRow, rotateBack, scaleRow} from './rows';
import {
  END,
  FARTHEST,
  FIRST,
  LEAST,
  LOG2_E,
  QUERY,
  STATE_BYTES,
  contextSlots,
  describe,
  keep,
  scoreBlock,
} from './scores';
import {Beside, Fresh, OfTile, STRIDE, exp2, finite, madd, multiply, multiplyCarefully} from './simd';

const TILE: i32 = <i32>(STRIDE >> 2); // most queries and keys that meet at a time: 64
const HALF: i32 = TILE >> 1;

// where the parts of scratch memory begin
let states: usize = 0; // 8 blocks of 8 queries
let lseLanes: usize = 0; // [64] logsumexp, times log₂e
let dots: usize = 0; // [64] D
let queryLanes: usize = 0; // 8 × [d][8]
let doutLanes: usize = 0; // 8 × [dv][8]
let queryRows: usize = 0; // [64][d rounded up to 8]
let doutRows: usize = 0; // [64][dv rounded up to 8]
let dQueryRows: usize = 0; // [64][d rounded up to 8]
let keyFours: usize = 0; // 16 × [d][4]
let valueFours: usize = 0; // 16 × [dv][4]
let weights: usize = 0; // [64 keys][64 queries]
let dScores: usize = 0; // [64 keys][64 queries]
// [context][d or dv rounded up to 8]; in the tensors themselves where a row there is as good
let keyRows: usize = 0;
let dKeyRows: usize = 0;
let dValueRows: usize = 0;

/** Lays out the scratch memory from `scratch` on; returns its end. */
function layOut(scratch: usize): usize {
  const wide: usize = (<usize>roundUp8(d)) << 2;
  const wideV: usize = (<usize>roundUp8(dv)) << 2;
  const context = <usize>contextLength();
  const keys = keysInPlace() ? 0 : context * wide;
  states = scratch;
  lseLanes = states + 8 * STATE_BYTES;
  dots = lseLanes + STRIDE;
  queryLanes = dots + STRIDE;
  doutLanes = queryLanes + <usize>d * STRIDE;
  queryRows = doutLanes + <usize>dv * STRIDE;
  doutRows = queryRows + <usize>TILE * wide;
  dQueryRows = doutRows + <usize>TILE * wideV;
  keyFours = dQueryRows + <usize>TILE * wide;
  valueFours = keyFours + <usize>d * STRIDE;
  weights = valueFours + <usize>dv * STRIDE;
  dScores = weights + <usize>TILE * STRIDE;
  keyRows = dScores + <usize>TILE * STRIDE;
  dKeyRows = keyRows + keys;
  dValueRows = dKeyRows + keys;
  return dValueRows + (valuesInPlace() ? 0 : context * wideV);
}

/** Whether keys and their gradients are used where they lie: unchanged, and whole eights. */
// @ts-ignore: decorator
@inline
function keysInPlace(): bool {
  return !transformsKeys() && (d & 7) == 0;
}

// @ts-ignore: decorator
@inline
function valuesInPlace(): bool {
  return (dv & 7) == 0;
}

/** Bytes of scratch that {@link attendBackward} needs. */
export function backwardScratch(): i32 {
  return <i32>layOut(0);
}

/**
 * The queries start … stop − 1 of one head, whole groups. dk, dvalue and dbias are added to; dq is
 * written. All pointers are to the head's own rows, and dbias may be 0.
 */
export function attendBackward(
  q: usize,
  k: usize,
  v: usize,
  mask: usize,
  bias: usize,
  head: i32,
  out: usize,
  logSumExp: usize,
  dout: usize,
  dq: usize,
  dk: usize,
  dvalue: usize,
  dbias: usize,
  start: i32,
  stop: i32,
  scratch: usize,
): void {
  layOut(scratch);
  const keyBytes: usize = (<usize>d) << 2;
  const valueBytes: usize = (<usize>dv) << 2;
  const wide: usize = (<usize>roundUp8(d)) << 2;
  const wideV: usize = (<usize>roundUp8(dv)) << 2;
  // the columns that round d and dv up to 8 must hold nothing
  memory.fill(queryRows, 0, keyFours - queryRows);
  memory.fill(keyRows, 0, dKeyRows - keyRows);

  const group = groupLength();
  const tile = tileLength();
  for (; start < stop; start += group) {
    const origin = phaseOrigin(start);
    const end = min(start + group, stop);
    const from = firstKey(start);
    const to = endKey(end - 1);
    if (keysInPlace()) {
      keyRows = k + <usize>from * keyBytes;
      dKeyRows = dk + <usize>from * keyBytes;
    } else {
      for (let j = from; j < to; j++) {
        const target = keyRows + <usize>(j - from) * wide;
        const row = keyRow(k + <usize>j * keyBytes, target, j - origin);
        if (row != target) memory.copy(target, row, keyBytes);
      }
      memory.fill(dKeyRows, 0, <usize>(to - from) * wide);
    }
    if (valuesInPlace()) dValueRows = dvalue + <usize>from * valueBytes;
    else memory.fill(dValueRows, 0, <usize>(to - from) * wideV);
    const values = v + <usize>from * valueBytes;
    const still =
      finite(keyRows, <usize>(to - from) * wide) && finite(values, <usize>(to - from) * valueBytes);
    for (let i = start; i < end; i += tile) {
      const rows = min(tile, end - i);
      load64(q, out, logSumExp, dout, i, rows, head, origin);
      backward64(v, mask, bias, rows, from, dbias, still);
      for (let r = 0; r < rows; r++) {
        const row = dQueryRows + <usize>r * wide;
        if (queryTable) rotateBack(row, queryTable + <usize>(i + r - origin) * keyBytes);
        scaleRow(row, dq + <usize>(i + r) * keyBytes, d, scale);
      }
    }
    for (let j = from; j < to; j++) {
      if (mask && !load<u8>(mask + <usize>j)) continue; // its gradients are 0, whatever its values
      if (!valuesInPlace()) {
        addRow(dValueRows + <usize>(j - from) * wideV, dvalue + <usize>j * valueBytes, dv);
      }
      if (keysInPlace()) continue;
      const dKey = dKeyRows + <usize>(j - from) * wide;
      if (keyTable) rotateBack(dKey, keyTable + <usize>(j - origin) * keyBytes);
      if (sharedQk) normaliseBack(k + <usize>j * keyBytes, dKey);
      addRow(dKey, dk + <usize>j * keyBytes, d);
    }
  }
}

/** Queries that meet keys together: few where windows are small, which leave most of a tile empty. */
function tileLength(): i32 {
  return min(TILE, max(16, w & ~15));
}

/** Queries i … i + rows − 1 with what belongs to them, as rows and as lanes. */
function load64(
  q: usize,
  out: usize,
  logSumExp: usize,
  dout: usize,
  i: i32,
  rows: i32,
  head: i32,
  origin: i32,
): void {
  const keyBytes: usize = (<usize>d) << 2;
  const valueBytes: usize = (<usize>dv) << 2;
  const wide: usize = (<usize>roundUp8(d)) << 2;
  const wideV: usize = (<usize>roundUp8(dv)) << 2;
  memory.fill(dQueryRows, 0, <usize>TILE * wide);
  for (let r = 0; r < ((rows + 7) & ~7); r++) {
    const query = i + min(r, rows - 1);
    const row = queryRows + <usize>r * wide;
    const doutRow = doutRows + <usize>r * wideV;
    queryRow(q + <usize>query * keyBytes, row, query - origin);
    memory.copy(doutRow, dout + <usize>query * valueBytes, valueBytes);
    const at = (<usize>r) << 2;
    store<f32>(lseLanes + at, load<f32>(logSumExp + ((<usize>query) << 2)) * LOG2_E);
    store<f32>(dots + at, dot(doutRow, out + <usize>query * valueBytes));
  }
  for (let r = 0; r < rows; r += 8) {
    const block = <usize>(r >> 3);
    describe(states + block * STATE_BYTES, i + r, min(8, rows - r), head);
    const row = queryRows + <usize>r * wide;
    const doutRow = doutRows + <usize>r * wideV;
    eightIntoLanes(row, wide, d, LOG2_E, queryLanes + ((block * <usize>d) << 5));
    eightIntoLanes(doutRow, wideV, dv, 1, doutLanes + ((block * <usize>dv) << 5));
  }
}

/** Packs `count` rows, `bytes` apart, four by four; the last is repeated where four are not full. */
function packFours(row: usize, bytes: usize, count: i32, length: i32, to: usize): void {
  for (let r = 0; r < count; r += 4) {
    const r0 = row + <usize>r * bytes;
    const r1 = row + <usize>min(r + 1, count - 1) * bytes;
    const r2 = row + <usize>min(r + 2, count - 1) * bytes;
    const r3 = row + <usize>min(r + 3, count - 1) * bytes;
    intoLanes(r0, r1, r2, r3, length, 1, to, 16);
    to += (<usize>length) << 4;
  }
}

function dot(a: usize, b: usize): f32 {
  const end = a + ((<usize>dv) << 2);
  let sums = f32x4.splat(0);
  for (; a + 16 <= end; a += 16) {
    sums = madd(v128.load(a), v128.load(b), sums);
    b += 16;
  }
  let sum = f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1);
  sum += f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3);
  for (; a < end; a += 4) {
    sum += load<f32>(a) * load<f32>(b);
    b += 4;
  }
  return sum;
}

/**
 * Adds what the loaded queries have to do with all their keys; `from` is the key in row 0.
 * `still`: no key or value of the group is NaN or infinite.
 */
function backward64(
  v: usize,
  mask: usize,
  bias: usize,
  rows: i32,
  from: i32,
  dbias: usize,
  still: bool,
): void {
  const wide: usize = (<usize>roundUp8(d)) << 2;
  const wideV: usize = (<usize>roundUp8(dv)) << 2;
  const blocks = (rows + 7) >> 3;
  const calm =
    still && finite(queryRows, <usize>rows * wide) && finite(doutRows, <usize>rows * wideV);
  const least = load<i32>(states, LEAST);
  const end = load<i32>(states + <usize>(blocks - 1) * STATE_BYTES, FARTHEST);
  for (let j = least; j < end; j += TILE) {
    const count = min(TILE, end - j);
    const row = <usize>(j - from);
    packFours(keyRows + row * wide, wide, count, d, keyFours);
    packFours(v + ((<usize>j * <usize>dv) << 2), (<usize>dv) << 2, count, dv, valueFours);
    for (let block = 0; block < blocks; block++) {
      scoreGradient(<usize>block, mask, bias, j, count, dbias);
    }
    // where the sequence is cut off for some queries, as on the diagonal, halves see unlike keys
    const middle = min(HALF, rows);
    const early = reach(middle, j, count);
    const late = reach(rows, j, count);
    if (early == late) {
      spreadQueries(calm, 0, rows, row, early);
    } else {
      spreadQueries(calm, 0, middle, row, early);
      spreadQueries(calm, middle, rows, row, late);
    }
  }
}

/**
 * How many of `count` keys from j on the queries before row `end` of the tile see, from the first:
 * those of the last of them, since no query sees less far than one before it.
 */
function reach(end: i32, j: i32, count: i32): i32 {
  const last = states + <usize>((end - 1) >> 3) * STATE_BYTES;
  return max(0, min(count, load<i32>(last, FARTHEST) - j));
}

/** Adds to all gradients what the queries first … end − 1 of the tile do with its first `count` keys. */
function spreadQueries(calm: bool, first: i32, end: i32, row: usize, count: i32): void {
  const wide: usize = (<usize>roundUp8(d)) << 2;
  const wideV: usize = (<usize>roundUp8(dv)) << 2;
  const rows = end - first;
  const column = (<usize>first) << 2;
  const douts = doutRows + <usize>first * wideV;
  const queries = queryRows + <usize>first * wide;
  const dQueries = dQueryRows + <usize>first * wide;
  for (let c: usize = 0; c < wideV; c += 32) {
    const to = dValueRows + row * wideV + c;
    spread<OfTile>(calm, weights + column, 4, douts + c, wideV, to, wideV, count, rows);
  }
  for (let c: usize = 0; c < wide; c += 32) {
    const to = dKeyRows + row * wide + c;
    spread<OfTile>(calm, dScores + column, 4, queries + c, wide, to, wide, count, rows);
    const keys = keyRows + row * wide + c;
    spread<Beside>(calm, dScores + column, STRIDE, keys, wide, dQueries + c, wide, rows, count);
  }
}

/** C += A · B, where a weight of 0 in A takes nothing from a B that is NaN. */
function spread<Kind>(
  calm: bool,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  steps: i32,
): void {
  const apart: usize = isInteger<Kind>() ? 4 : STRIDE;
  if (calm) multiply<Kind>(a, apart << 2, aStep, b, bStep, c, cRow, rows, steps);
  else multiplyCarefully(a, apart, aStep, b, bStep, c, cRow, rows, steps, true);
}

/** Fills 8 columns of `weights` and of `dScores`, for the packed keys j … j + count − 1. */
function scoreGradient(
  block: usize,
  mask: usize,
  bias: usize,
  j: i32,
  count: i32,
  dbias: usize,
): void {
  const state = states + block * STATE_BYTES;
  // the block sees some of them; packed keys are read from where four begin
  const first = min(max(0, load<i32>(state, LEAST) - j) & ~3, count);
  const end = max(first, min(count, load<i32>(state, FARTHEST) - j));
  if (first < end) gradientOfSeen(block, mask, bias, j + first, end - first, first, dbias);
  empty(block, 0, first);
  empty(block, end, count);
}

/** {@link scoreGradient} of keys j … j + count − 1, which are in the rows from `first` on, weights after dropout. */
function gradientOfSeen(
  block: usize,
  mask: usize,
  bias: usize,
  j: i32,
  count: i32,
  first: i32,
  dbias: usize,
): void {
  const state = states + block * STATE_BYTES;
  const column = block << 5;
  const offset = <usize>first * STRIDE + column;
  const p = weights + offset;
  const s = dScores + offset;
  const keys = keyFours + ((<usize>first * <usize>d) << 2);
  const queries = queryLanes + ((block * <usize>d) << 5);
  scoreBlock(state, queries, keys, mask, bias, j, count, p, STRIDE);
  const values = valueFours + ((<usize>first * <usize>dv) << 2);
  const douts = doutLanes + ((block * <usize>dv) << 5);
  const fours = (count + 3) & ~3;
  multiply<Fresh>(values, (<usize>dv) << 4, 16, douts, 32, s, STRIDE, fours, dv);

  const hidden = f32x4.splat(-Infinity);
  for (let half: usize = 0; half < 32; half += 16) {
    const lse = v128.load(lseLanes + column + half);
    const mean = v128.load(dots + column + half);
    for (let key = 0; key < count; key++) {
      const at = <usize>key * STRIDE + half;
      const score = v128.load(p + at);
      // 0 for a key that is not seen, even where the logsumexp is NaN
      let weight = v128.and(exp2(f32x4.sub(score, lse)), f32x4.ne(score, hidden));
      let dWeight = v128.load(s + at);
      if (threshold) {
        const factors = keep(state, half, j + key);
        dWeight = f32x4.mul(dWeight, factors);
        v128.store(p + at, f32x4.mul(weight, factors));
      } else {
        v128.store(p + at, weight);
      }
      const dScore = f32x4.mul(weight, f32x4.sub(dWeight, mean));
      v128.store(s + at, v128.and(dScore, f32x4.ne(weight, f32x4.splat(0))));
    }
  }
  if (sharedQk) clearSelf(state, j, count, s);
  if (dbias) addBiasGradient(state, dbias, j, count, s);
}

/** No weights and no gradients in the rows first … end − 1 of 8 columns. */
function empty(block: usize, first: i32, end: i32): void {
  const nothing = f32x4.splat(0);
  for (let row = first; row < end; row++) {
    const at = <usize>row * STRIDE + (block << 5);
    v128.store(weights + at, nothing);
    v128.store(weights + at, nothing, 16);
    v128.store(dScores + at, nothing);
    v128.store(dScores + at, nothing, 16);
  }
}

/** The score of a token with itself is a constant. */
function clearSelf(state: usize, j: i32, count: i32, s: usize): void {
  for (let lane = 0; lane < 8; lane++) {
    const row = load<i32>(state + ((<usize>lane) << 2), QUERY) - j;
    if (row >= 0 && row < count) store<f32>(s + <usize>row * STRIDE + ((<usize>lane) << 2), 0);
  }
}

function addBiasGradient(state: usize, dbias: usize, j: i32, count: i32, s: usize): void {
  const context = contextSlots();
  for (let lane = 0; lane < 8; lane++) {
    const at = state + ((<usize>lane) << 2);
    const query = load<i32>(at, QUERY);
    if (lane > 0 && query == load<i32>(at, QUERY - 4)) break; // lanes beyond repeat the last
    const origin = (query / w - back) * w;
    const first = max(j, load<i32>(at, FIRST));
    const end = min(j + count, load<i32>(at, END));
    let to = dbias + ((<usize>((query % w) * context) + <usize>(first - origin)) << 2);
    let from = s + <usize>(first - j) * STRIDE + ((<usize>lane) << 2);
    for (let key = first; key < end; key++) {
      store<f32>(to, load<f32>(to) + load<f32>(from));
      to += 4;
      from += STRIDE;
    }
  }
}

/** From the gradient of x / ‖x‖ to that of x, in place. */
function normaliseBack(x: usize, gradient: usize): void {
  const inverse = inverseNorm(x);
  const bytes: usize = (<usize>d) << 2;
  let along: f32 = 0; // 0 where the norm is below its least value: a constant factor then
  if (inverse < 1e12) {
    for (let c: usize = 0; c < bytes; c += 4) along += load<f32>(x + c) * load<f32>(gradient + c);
    along *= inverse * inverse;
  }
  for (let c: usize = 0; c < bytes; c += 4) {
    store<f32>(gradient + c, inverse * (load<f32>(gradient + c) - along * load<f32>(x + c)));
  }
}
