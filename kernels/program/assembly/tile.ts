/**
 * Up to 64 queries that meet the keys of their group, 64 at a time. Scores, dP and dS lie as
 * [64 keys][64 queries]; all five products are made of the same tile.
 */
import * as room from './backward_memory';
import {call} from './call';
import {dout, keyBytes, out, q, softmaxStats, v, valueBytes} from './head';
import {eightIntoLanes, packFours} from './lanes';
import {STRIDE, TileColumns, TileRows, eightsAtOnce, multiply, multiplyCarefully} from './multiply';
import {placeQuery} from './rows';
import {scoreGradient} from './score_gradient';
import {BLOCK_BYTES, FARTHEST, LEAST, describe} from './scores';
import {allFinite, madd} from './simd';

/** Whether nothing that the tile multiplies is NaN or infinite. */
let finite: bool = false;

/** Queries that meet keys together: few where windows are small, which leave most of a tile empty. */
export function tileLength(): i32 {
  return call.windowSize < 16 ? 8 : min(room.TILE, call.windowSize & ~15);
}

/** The queries i … i + rows − 1 with what belongs to them, as rows and as lanes. */
export function loadQueries(i: i32, rows: i32, origin: i32): void {
  memory.fill(room.dQueryRows, 0, <usize>rows * room.wideKey);
  memory.fill(room.remainders, 0, STRIDE);
  memory.fill(room.largest, 0xff, STRIDE);
  for (let r = 0; r < rows; r++) {
    const query = <usize>(i + r);
    placeQuery(q + query * keyBytes, room.queryRows + <usize>r * room.wideKey, i + r - origin);
    memory.copy(room.doutRows + <usize>r * room.wideValue, dout + query * valueBytes, valueBytes);
  }
  for (let r = 0; r < rows; r += 8) {
    const eight = <usize>(r >> 3);
    const count = min(8, rows - r);
    const lanes = room.queryLanes + ((eight * <usize>call.headDim) << 5);
    describe(room.blocks + eight * BLOCK_BYTES, i + r, count, lanes);
    eightIntoLanes(room.queryRows + <usize>r * room.wideKey, room.wideKey, count, call.headDim, lanes);
    loadOutputs(i + r, eight, count);
  }
}

/**
 * The softmax's maxima and inverses of eight queries, their upstream gradients as lanes, and D. D is
 * summed over the channels as dP is: where one weight is 1 and the output a value, dP − D is
 * exactly 0.
 */
function loadOutputs(i: i32, eight: usize, count: i32): void {
  const valueDim = call.valueDim;
  const outs = room.valueFours; // not in use yet
  const douts = room.doutLanes + ((eight * <usize>valueDim) << 5);
  const row = <usize>i * valueBytes;
  eightIntoLanes(out + row, valueBytes, count, valueDim, outs);
  eightIntoLanes(dout + row, valueBytes, count, valueDim, douts);
  let dots0 = f32x4.splat(0);
  let dots1 = f32x4.splat(0);
  for (let c: usize = 0; c < <usize>valueDim << 5; c += 32) {
    dots0 = madd(v128.load(outs + c), v128.load(douts + c), dots0);
    dots1 = madd(v128.load(outs + c, 16), v128.load(douts + c, 16), dots1);
  }
  v128.store(room.dots + (eight << 5), dots0);
  v128.store(room.dots + (eight << 5), dots1, 16);
  for (let lane = 0; lane < 8; lane++) {
    const pair = softmaxStats + ((<usize>(i + min(lane, count - 1))) << 3);
    const at = (eight << 5) + ((<usize>lane) << 2);
    const sum = load<f32>(pair, 4);
    store<f32>(room.maxima + at, load<f32>(pair));
    store<f32>(room.inverses + at, sum == 0 ? 0 : 1 / sum);
  }
}

/** Adds what the loaded queries have to do with all their keys; `from` is the key in row 0. */
export function meetKeys(from: i32, rows: i32, keysFinite: bool): void {
  finite =
    keysFinite &&
    allFinite(room.queryRows, <usize>rows * room.wideKey) &&
    allFinite(room.doutRows, <usize>rows * room.wideValue);
  const eights = (rows + 7) >> 3;
  const end = load<i32>(room.blocks + <usize>(eights - 1) * BLOCK_BYTES, FARTHEST);
  for (let j = load<i32>(room.blocks, LEAST); j < end; j += room.TILE) {
    const count = min(room.TILE, end - j);
    const row = <usize>(j - from);
    packFours(room.keyRows + row * room.wideKey, room.wideKey, count, call.headDim, room.keyFours);
    packFours(v + <usize>j * valueBytes, valueBytes, count, call.valueDim, room.valueFours);
    for (let eight = 0; eight < eights; eight += eightsAtOnce()) {
      scoreGradient(<usize>eight, min(eightsAtOnce(), eights - eight), j, count);
    }
    // where the sequence is cut off for some queries, as on the diagonal, halves see unlike keys
    const middle = min(room.TILE >> 1, rows);
    const early = reach(middle, j, count);
    const late = reach(rows, j, count);
    if (early == late) {
      addProducts(0, rows, row, early);
    } else {
      addProducts(0, middle, row, early);
      addProducts(middle, rows, row, late);
    }
  }
}

/**
 * How many of `count` keys from j on the queries before row `end` of the tile see, from the first:
 * those of the last of them, since no query sees less far than one before it.
 */
function reach(end: i32, j: i32, count: i32): i32 {
  const last = room.blocks + <usize>((end - 1) >> 3) * BLOCK_BYTES;
  return max(0, min(count, load<i32>(last, FARTHEST) - j));
}

/** Adds to all gradients what the queries first … end − 1 of the tile do with its first `count` keys. */
function addProducts(first: i32, end: i32, row: usize, count: i32): void {
  const rows = end - first;
  const column = (<usize>first) << 2;
  const douts = room.doutRows + <usize>first * room.wideValue;
  const queries = room.queryRows + <usize>first * room.wideKey;
  const dQueries = room.dQueryRows + <usize>first * room.wideKey;
  const dValues = room.dValueRows + row * room.wideValue;
  const keys = room.keyRows + row * room.wideKey;
  const dKeys = room.dKeyRows + row * room.wideKey;
  add<TileRows>(room.weights + column, douts, dValues, room.wideValue, count, rows);
  add<TileRows>(room.dScores + column, queries, dKeys, room.wideKey, count, rows);
  add<TileColumns>(room.dScores + column, keys, dQueries, room.wideKey, rows, count);
}

/** C += A B, rows of C and B `stride` bytes; a weight of 0 in A takes nothing from a B that is NaN. */
function add<Kind>(a: usize, b: usize, c: usize, stride: usize, rows: i32, steps: i32): void {
  if (finite) return multiply<Kind>(a, b, c, stride, rows, steps, <i32>(stride >> 5));
  for (let column: usize = 0; column < stride; column += 32) {
    multiplyCarefully<Kind>(a, b + column, c + column, stride, rows, steps);
  }
}
