/**
 * The scores of 8 queries (lanes) with a run of keys (rows), in units of log₂:
 * s = log₂e · (q · k + bias), −∞ where the key is not visible.
 */
import {
  back,
  d,
  endKey,
  factor,
  firstKey,
  forward,
  seed,
  sharedQk,
  threshold,
  w,
} from './problem';
import {Fresh, multiply} from './simd';

export const LOG2_E: f32 = 1.4426950408889634;
const SELF_SCORE: f32 = -5e4;

/** A block of 8 queries; the state lies in memory at these offsets. */
export const FIRST: usize = 0; // i32[8]: first visible key by lane
export const END: usize = 32; // i32[8]: one past the last
export const START: usize = 64; // u32[8]: where the random numbers of the row begin
export const STEP: usize = 96; // u32[8]: and how they go on
export const QUERY: usize = 128; // i32[8]: position of the query
export const LEAST: usize = 160; // i32: the least and the latest of the first keys,
export const LATEST: usize = 164;
export const NEAREST: usize = 168; // the nearest and the farthest of the ends
export const FARTHEST: usize = 172;
export const STATE_BYTES: usize = 176;

/** Writes the state of queries i … i + rows − 1; lanes beyond repeat the last. */
export function describe(state: usize, i: i32, rows: i32, head: i32): void {
  let least = i32.MAX_VALUE;
  let latest = 0;
  let nearest = i32.MAX_VALUE;
  let farthest = 0;
  for (let lane = 0; lane < 8; lane++) {
    const query = i + min(lane, rows - 1);
    const first = firstKey(query);
    const end = endKey(query);
    const at = state + (<usize>lane << 2);
    store<i32>(at, first, FIRST);
    store<i32>(at, end, END);
    store<i32>(at, query, QUERY);
    if (threshold) {
      const start = mix(mix(mix(seed) + <u32>head) + <u32>query);
      store<u32>(at, start, START);
      store<u32>(at, mix(start ^ 0x9e3779b9) | 1, STEP);
    }
    least = min(least, first);
    latest = max(latest, first);
    nearest = min(nearest, end);
    farthest = max(farthest, end);
  }
  store<i32>(state, least, LEAST);
  store<i32>(state, latest, LATEST);
  store<i32>(state, nearest, NEAREST);
  store<i32>(state, farthest, FARTHEST);
}

/**
 * scores[row][lane] for the keys j … j + count − 1, which are packed at `keys`, four by four, as
 * [d][4]; up to three rows more are written. `queries` is [d][8], scaled by log₂e; a row of scores is
 * `stride` bytes after the one before.
 */
export function scoreBlock(
  state: usize,
  queries: usize,
  keys: usize,
  mask: usize,
  bias: usize,
  j: i32,
  count: i32,
  scores: usize,
  stride: usize,
): void {
  const fours = (count + 3) & ~3;
  multiply<Fresh>(keys, (<usize>d) << 4, 16, queries, 32, scores, stride, fours, d);
  if (bias) addBias(state, bias, j, count, scores, stride);
  if (sharedQk) setSelf(state, j, count, scores, stride);
  // keys that some queries see and others do not: before the latest first, from the nearest end on
  const seenFrom = min(max(load<i32>(state, LATEST), j), j + count);
  const seenTo = max(min(load<i32>(state, NEAREST), j + count), seenFrom);
  hide(state, j, seenFrom - j, scores, stride);
  hide(state, seenTo, j + count - seenTo, scores + <usize>(seenTo - j) * stride, stride);
  if (mask) hideMasked(mask + <usize>j, count, scores, stride);
}

function addBias(
  state: usize,
  bias: usize,
  j: i32,
  count: i32,
  scores: usize,
  stride: usize,
): void {
  const context = contextSlots();
  for (let lane = 0; lane < 8; lane++) {
    const at = state + (<usize>lane << 2);
    const query = load<i32>(at, QUERY);
    const row = query % w;
    const origin = (query / w - back) * w;
    const from = max(j, load<i32>(at, FIRST));
    const to = min(j + count, load<i32>(at, END));
    let source = bias + ((<usize>(row * context) + <usize>(from - origin)) << 2);
    let target = scores + <usize>(from - j) * stride + (<usize>lane << 2);
    for (let key = from; key < to; key++) {
      store<f32>(target, load<f32>(target) + LOG2_E * load<f32>(source));
      source += 4;
      target += stride;
    }
  }
}

/** C, the slots of a window's context. */
// @ts-ignore: decorator
@inline
export function contextSlots(): i32 {
  return (1 + back + forward) * w;
}

function setSelf(state: usize, j: i32, count: i32, scores: usize, stride: usize): void {
  for (let lane = 0; lane < 8; lane++) {
    const row = load<i32>(state + (<usize>lane << 2), QUERY) - j;
    if (row < 0 || row >= count) continue;
    store<f32>(scores + <usize>row * stride + (<usize>lane << 2), SELF_SCORE * LOG2_E);
  }
}

function hide(state: usize, j: i32, count: i32, scores: usize, stride: usize): void {
  const first0 = v128.load(state, FIRST);
  const first1 = v128.load(state, FIRST + 16);
  const end0 = v128.load(state, END);
  const end1 = v128.load(state, END + 16);
  const hidden = f32x4.splat(-Infinity);
  for (let key = j; key < j + count; key++) {
    const at = i32x4.splat(key);
    const seen0 = v128.and(i32x4.ge_s(at, first0), i32x4.lt_s(at, end0));
    const seen1 = v128.and(i32x4.ge_s(at, first1), i32x4.lt_s(at, end1));
    v128.store(scores, v128.bitselect(v128.load(scores), hidden, seen0));
    v128.store(scores, v128.bitselect(v128.load(scores, 16), hidden, seen1), 16);
    scores += stride;
  }
}

function hideMasked(mask: usize, count: i32, scores: usize, stride: usize): void {
  const hidden = f32x4.splat(-Infinity);
  for (let row = 0; row < count; row++) {
    if (!load<u8>(mask + <usize>row)) {
      v128.store(scores, hidden);
      v128.store(scores, hidden, 16);
    }
    scores += stride;
  }
}

/** Dropout factors of 4 lanes (`half` 0 or 16 bytes) for one key: 0 or `factor`. */
// @ts-ignore: decorator
@inline
export function keep(state: usize, half: usize, key: i32): v128 {
  const start = v128.load(state + half, START);
  const step = v128.load(state + half, STEP);
  let x = i32x4.add(start, i32x4.mul(i32x4.splat(key), step));
  x = v128.xor(x, i32x4.shr_u(x, 16));
  x = i32x4.mul(x, i32x4.splat(0x85ebca6b));
  x = v128.xor(x, i32x4.shr_u(x, 13));
  x = i32x4.mul(x, i32x4.splat(0xc2b2ae35));
  x = v128.xor(x, i32x4.shr_u(x, 16));
  return v128.and(i32x4.ge_u(x, i32x4.splat(threshold)), f32x4.splat(factor));
}

function mix(x: u32): u32 {
  x = (x ^ (x >> 16)) * 0x85ebca6b;
  x = (x ^ (x >> 13)) * 0xc2b2ae35;
  return x ^ (x >> 16);
}
