/** From scores and dP to weights and dS, of 8 queries and the packed keys of a tile. */
import * as room from './backward_memory';
import {call} from './call';
import {dbias} from './head';
import {Fours, STRIDE, multiply} from './multiply';
import {BLOCK_BYTES, END, FARTHEST, FIRST, LEAST, QUERY, keep, scoreBlocks} from './scores';
import {expTimes} from './simd';
import {biasOffset} from './windows';

/** Fills the columns of `eights` blocks of `weights` and of `dScores`, for the packed keys j … j + count − 1. */
export function scoreGradient(eight: usize, eights: i32, j: i32, count: i32): void {
  const block = room.blocks + eight * BLOCK_BYTES;
  const last = block + <usize>(eights - 1) * BLOCK_BYTES;
  // the blocks see some of them; packed keys are read from where four begin
  const first = min(max(0, load<i32>(block, LEAST) - j) & ~3, count);
  const end = max(first, min(count, load<i32>(last, FARTHEST) - j));
  if (first < end) multiplySeen(eight, eights, j + first, end - first, first);
  const column = eight << 5;
  const bytes = <usize>eights << 5;
  empty(column, bytes, 0, first);
  empty(column, bytes, end, count);
}

/** {@link scoreGradient} of the keys j … j + count − 1, which are in the rows from `row` on. */
function multiplySeen(eight: usize, eights: i32, j: i32, count: i32, row: i32): void {
  const valueDim = call.valueDim;
  const offset = <usize>row * STRIDE + (eight << 5);
  const p = room.weights + offset;
  const s = room.dScores + offset;
  const blocks = room.blocks + eight * BLOCK_BYTES;
  const keys = room.keyFours + ((<usize>row * <usize>call.headDim) << 2);
  scoreBlocks(blocks, eights, keys, j, count, p, 32, STRIDE);
  const values = room.valueFours + ((<usize>row * <usize>valueDim) << 2);
  const apart = <usize>valueDim << 5;
  const douts = room.doutLanes + eight * apart;
  multiply<Fours>(values, douts, s, STRIDE, (count + 3) & ~3, valueDim, eights, apart);
  for (let e: usize = 0; e < <usize>eights; e++) {
    gradientOfBlock(eight + e, j, count, p + (e << 5), s + (e << 5));
  }
}

/** Weights from the scores `p`, and dS from the dP `s`, of one block. */
function gradientOfBlock(eight: usize, j: i32, count: i32, p: usize, s: usize): void {
  const block = room.blocks + eight * BLOCK_BYTES;
  const column = eight << 5;
  const dropout = call.dropThreshold != 0;
  for (let half: usize = 0; half < 32; half += 16) {
    const lanes = column + half;
    const top = v128.load(room.maxima + lanes);
    const inverse = v128.load(room.inverses + lanes);
    const mean = v128.load(room.dots + lanes);
    const ahead = f32x4.gt(inverse, f32x4.splat(0.5)); // the weight of a score that is the maximum
    const counted = v128.any_true(ahead);
    if (counted) findLargest(lanes, ahead, p + half, j, count);
    for (let key = 0; key < count; key++) {
      const at = <usize>key * STRIDE + half;
      // 0 for a key that is not seen, even where the statistics are NaN
      const weight = expTimes(f32x4.sub(v128.load(p + at), top), inverse);
      let dWeight = v128.load(s + at);
      if (dropout) {
        const factors = keep(block, half, j + key);
        dWeight = f32x4.mul(dWeight, factors);
        v128.store(p + at, f32x4.mul(weight, factors));
      } else {
        v128.store(p + at, weight);
      }
      const dScore = f32x4.mul(weight, f32x4.sub(dWeight, mean));
      v128.store(s + at, v128.and(dScore, f32x4.ne(weight, f32x4.splat(0))));
    }
    if (counted) addRemainder(lanes, s + half, count);
  }
  if (call.sharedQk) clearSelf(block, j, count, s);
  if (dbias) addBiasGradient(block, j, count, s);
}

/** Notes the key with more than half of the weight, in the lanes that are `ahead` and where it is here. */
function findLargest(lanes: usize, ahead: v128, scores: usize, j: i32, count: i32): void {
  const top = v128.load(room.maxima + lanes);
  let largest = v128.load(room.largest + lanes);
  for (let key = j; key < j + count; key++) {
    const found = v128.and(f32x4.eq(v128.load(scores), top), ahead);
    largest = v128.bitselect(i32x4.splat(key), largest, found);
    scores += STRIDE;
  }
  v128.store(room.largest + lanes, largest);
}

function addRemainder(lanes: usize, s: usize, count: i32): void {
  let remainder = v128.load(room.remainders + lanes);
  for (let key = 0; key < count; key++) {
    remainder = f32x4.add(remainder, v128.load(s));
    s += STRIDE;
  }
  v128.store(room.remainders + lanes, remainder);
}

/** No weights and no gradients in the rows first … end − 1, from `column` on. */
function empty(column: usize, bytes: usize, first: i32, end: i32): void {
  for (let row = first; row < end; row++) {
    const at = <usize>row * STRIDE + column;
    memory.fill(room.weights + at, 0, bytes);
    memory.fill(room.dScores + at, 0, bytes);
  }
}

/** The score of a token with itself is a constant. */
function clearSelf(block: usize, j: i32, count: i32, s: usize): void {
  for (let lane = 0; lane < 8; lane++) {
    const row = load<i32>(block + ((<usize>lane) << 2), QUERY) - j;
    if (row >= 0 && row < count) store<f32>(s + <usize>row * STRIDE + ((<usize>lane) << 2), 0);
  }
}

function addBiasGradient(block: usize, j: i32, count: i32, s: usize): void {
  for (let lane = 0; lane < 8; lane++) {
    const at = block + ((<usize>lane) << 2);
    const query = load<i32>(at, QUERY);
    if (lane > 0 && query == load<i32>(at, QUERY - 4)) break; // lanes beyond repeat the last
    const first = max(j, load<i32>(at, FIRST));
    const end = min(j + count, load<i32>(at, END));
    let to = dbias + biasOffset(query, first);
    let from = s + <usize>(first - j) * STRIDE + ((<usize>lane) << 2);
    for (let key = first; key < end; key++) {
      store<f32>(to, load<f32>(to) + load<f32>(from));
      to += 4;
      from += STRIDE;
    }
  }
}
