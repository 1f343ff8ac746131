/** From scores and dP to weights and dS, of 8 queries and the packed keys of a tile. */
import * as room from './backward_memory';
import {call} from './call';
import {dbias} from './head';
import {Fours, STRIDE, multiply} from './multiply';
import {BLOCK_BYTES, END, FARTHEST, FIRST, LEAST, QUERY, keep, scoreBlock} from './scores';
import {exp} from './simd';
import {biasOffset} from './windows';

/** Fills 8 columns of `weights` and of `dScores`, for the packed keys j … j + count − 1. */
export function scoreGradient(eight: usize, j: i32, count: i32): void {
  const block = room.blocks + eight * BLOCK_BYTES;
  // the block sees some of them; packed keys are read from where four begin
  const first = min(max(0, load<i32>(block, LEAST) - j) & ~3, count);
  const end = max(first, min(count, load<i32>(block, FARTHEST) - j));
  if (first < end) gradientOfSeen(eight, j + first, end - first, first);
  empty(eight, 0, first);
  empty(eight, end, count);
}

/** {@link scoreGradient} of the keys j … j + count − 1, which are in the rows from `row` on. */
function gradientOfSeen(eight: usize, j: i32, count: i32, row: i32): void {
  const block = room.blocks + eight * BLOCK_BYTES;
  const valueDim = call.valueDim;
  const column = eight << 5;
  const offset = <usize>row * STRIDE + column;
  const p = room.weights + offset;
  const s = room.dScores + offset;
  scoreBlock(block, room.keyFours + ((<usize>row * <usize>call.headDim) << 2), j, count, p, STRIDE);
  const values = room.valueFours + ((<usize>row * <usize>valueDim) << 2);
  const douts = room.doutLanes + ((eight * <usize>valueDim) << 5);
  multiply<Fours>(values, douts, s, STRIDE, (count + 3) & ~3, valueDim);

  const dropout = call.dropThreshold != 0;
  const hidden = f32x4.splat(-Infinity);
  for (let half: usize = 0; half < 32; half += 16) {
    const lanes = column + half;
    const top = v128.load(room.maxima + lanes);
    const inverse = v128.load(room.inverses + lanes);
    const mean = v128.load(room.dots + lanes);
    const majority = f32x4.splat(0.5);
    const counted = v128.any_true(f32x4.gt(inverse, majority));
    let remainder = v128.load(room.remainders + lanes);
    let heaviest = v128.load(room.largest + lanes);
    for (let key = 0; key < count; key++) {
      const at = <usize>key * STRIDE + half;
      const score = v128.load(p + at);
      const weight = f32x4.mul(exp(f32x4.sub(score, top)), inverse);
      // 0 for a key that is not seen, even where the statistics are NaN
      const seen = v128.and(weight, f32x4.ne(score, hidden));
      let dWeight = v128.load(s + at);
      if (dropout) {
        const factors = keep(block, half, j + key);
        dWeight = f32x4.mul(dWeight, factors);
        v128.store(p + at, f32x4.mul(seen, factors));
      } else {
        v128.store(p + at, seen);
      }
      let dScore = f32x4.mul(seen, f32x4.sub(dWeight, mean));
      dScore = v128.and(dScore, f32x4.ne(seen, f32x4.splat(0)));
      v128.store(s + at, dScore);
      if (counted) {
        remainder = f32x4.add(remainder, dScore);
        heaviest = v128.bitselect(i32x4.splat(j + key), heaviest, f32x4.gt(seen, majority));
      }
    }
    v128.store(room.remainders + lanes, remainder);
    v128.store(room.largest + lanes, heaviest);
  }
  if (call.sharedQk) clearSelf(block, j, count, s);
  if (dbias) addBiasGradient(block, j, count, s);
}

/** No weights and no gradients in the rows first … end − 1 of 8 columns. */
function empty(eight: usize, first: i32, end: i32): void {
  const nothing = f32x4.splat(0);
  for (let row = first; row < end; row++) {
    const at = <usize>row * STRIDE + (eight << 5);
    v128.store(room.weights + at, nothing);
    v128.store(room.weights + at, nothing, 16);
    v128.store(room.dScores + at, nothing);
    v128.store(room.dScores + at, nothing, 16);
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
