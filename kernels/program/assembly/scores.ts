/**
 * The scores of 8 queries (lanes) with a run of keys (rows): s = q · k + bias, −∞ where the key is not
 * visible. Both passes come here, and get the same bits, so that weights made again sum to one.
 */
import {call} from './call';
import {bias, head, mask} from './head';
import {Fours, multiply} from './multiply';
import {biasOffset, endKey, firstKey, windowStart} from './windows';

const SELF_SCORE: f32 = -5e4;

/** A block of 8 queries is described in memory, at these offsets. */
export const FIRST: usize = 0; // i32[8]: first visible key by lane
export const END: usize = 32; // i32[8]: one past the last
export const START: usize = 64; // u32[8]: where the random numbers of the row begin
export const STEP: usize = 96; // u32[8]: and how they go on
export const QUERY: usize = 128; // i32[8]: position of the query
export const LEAST: usize = 160; // i32: the least and the latest of the first keys,
export const LATEST: usize = 164;
export const NEAREST: usize = 168; // the nearest and the farthest of the ends
export const FARTHEST: usize = 172;
export const LANES: usize = 176; // usize: where the queries lie, [headDim][8]
export const BLOCK_BYTES: usize = 192;

/** Describes the queries i … i + rows − 1, which lie at `lanes`; lanes beyond repeat the last. */
export function describe(block: usize, i: i32, rows: i32, lanes: usize): void {
  let least = i32.MAX_VALUE;
  let latest = 0;
  let nearest = i32.MAX_VALUE;
  let farthest = 0;
  let start = windowStart(i); // a division, which takes as long as a tile's row
  for (let lane = 0; lane < 8; lane++) {
    const query = i + min(lane, rows - 1);
    if (query == start + call.windowSize) start = query;
    const first = firstKey(query, start);
    const end = endKey(query, start);
    const at = block + (<usize>lane << 2);
    store<i32>(at, first, FIRST);
    store<i32>(at, end, END);
    store<i32>(at, query, QUERY);
    if (call.dropThreshold) {
      const start = hash(hash(hash(call.seed) + <u32>head) + <u32>query);
      store<u32>(at, start, START);
      store<u32>(at, hash(start ^ 0x9e3779b9) | 1, STEP);
    }
    least = min(least, first);
    latest = max(latest, first);
    nearest = min(nearest, end);
    farthest = max(farthest, end);
  }
  store<i32>(block, least, LEAST);
  store<i32>(block, latest, LATEST);
  store<i32>(block, nearest, NEAREST);
  store<i32>(block, farthest, FARTHEST);
  store<usize>(block, lanes, LANES);
}

/**
 * scores[row][lane] for the keys j … j + count − 1, which are packed at `keys`, four by four, as
 * [headDim][4]; up to three rows more are written. So for each of `eights` blocks, whose descriptions
 * and queries lie one after the other, and whose scores `apart` bytes from one another. A row of
 * scores is `stride` bytes after the one before.
 */
export function scoreBlocks(
  blocks: usize,
  eights: i32,
  keys: usize,
  j: i32,
  count: i32,
  scores: usize,
  apart: usize,
  stride: usize,
): void {
  const fours = (count + 3) & ~3;
  const lanes = load<usize>(blocks, LANES);
  const headDim = call.headDim;
  multiply<Fours>(keys, lanes, scores, stride, fours, headDim, eights, <usize>headDim << 5, apart);
  for (; eights > 0; eights--) {
    finishScores(blocks, j, count, scores, stride);
    blocks += BLOCK_BYTES;
    scores += apart;
  }
}

/** From products to scores. */
export function finishScores(block: usize, j: i32, count: i32, scores: usize, stride: usize): void {
  if (bias) addBias(block, j, count, scores, stride);
  if (call.sharedQk) setSelf(block, j, count, scores, stride);
  // keys that some queries see and others do not: before the latest first, from the nearest end on
  const seenFrom = min(max(load<i32>(block, LATEST), j), j + count);
  const seenTo = max(min(load<i32>(block, NEAREST), j + count), seenFrom);
  hide(block, j, seenFrom - j, scores, stride);
  hide(block, seenTo, j + count - seenTo, scores + <usize>(seenTo - j) * stride, stride);
  if (mask) hideMasked(mask + <usize>j, count, scores, stride);
}

function addBias(block: usize, j: i32, count: i32, scores: usize, stride: usize): void {
  for (let lane = 0; lane < 8; lane++) {
    const at = block + (<usize>lane << 2);
    const query = load<i32>(at, QUERY);
    const from = max(j, load<i32>(at, FIRST));
    const to = min(j + count, load<i32>(at, END));
    let source = bias + biasOffset(query, from);
    let target = scores + <usize>(from - j) * stride + (<usize>lane << 2);
    for (let key = from; key < to; key++) {
      store<f32>(target, load<f32>(target) + load<f32>(source));
      source += 4;
      target += stride;
    }
  }
}

function setSelf(block: usize, j: i32, count: i32, scores: usize, stride: usize): void {
  for (let lane = 0; lane < 8; lane++) {
    const row = load<i32>(block + (<usize>lane << 2), QUERY) - j;
    if (row < 0 || row >= count) continue;
    store<f32>(scores + <usize>row * stride + (<usize>lane << 2), SELF_SCORE);
  }
}

function hide(block: usize, j: i32, count: i32, scores: usize, stride: usize): void {
  const first0 = v128.load(block, FIRST);
  const first1 = v128.load(block, FIRST + 16);
  const end0 = v128.load(block, END);
  const end1 = v128.load(block, END + 16);
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

/** Dropout factors of 4 lanes (`half` 0 or 16 bytes) for one key: 0 or the factor of those kept. */
// @ts-ignore: decorator
@inline
export function keep(block: usize, half: usize, key: i32): v128 {
  const start = v128.load(block + half, START);
  const step = v128.load(block + half, STEP);
  let x = i32x4.add(start, i32x4.mul(i32x4.splat(key), step));
  x = v128.xor(x, i32x4.shr_u(x, 16));
  x = i32x4.mul(x, i32x4.splat(0x85ebca6b));
  x = v128.xor(x, i32x4.shr_u(x, 13));
  x = i32x4.mul(x, i32x4.splat(0xc2b2ae35));
  x = v128.xor(x, i32x4.shr_u(x, 16));
  return v128.and(i32x4.ge_u(x, i32x4.splat(call.dropThreshold)), f32x4.splat(call.keptFactor));
}

/** The finaliser of MurmurHash3 (Austin Appleby, public domain). */
function hash(x: u32): u32 {
  x = (x ^ (x >> 16)) * 0x85ebca6b;
  x = (x ^ (x >> 13)) * 0xc2b2ae35;
  return x ^ (x >> 16);
}
