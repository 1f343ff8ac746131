/** Where the parts of the backward pass's scratch memory begin. Rows are rounded up to whole eights. */
import {call} from './call';
import {dk, dv, k, keyBytes, valueBytes} from './head';
import {STRIDE} from './multiply';
import {changesKeys} from './rows';
import {BLOCK_BYTES} from './scores';
import {contextLength} from './windows';

/** Most queries and keys that meet at a time: 64. */
export const TILE: i32 = <i32>(STRIDE >> 2);

// of the queries of a tile
export let blocks: usize = 0; // descriptions of 8 queries each
export let maxima: usize = 0; // of the scores, by query
export let inverses: usize = 0; // 1 / Σ exp(score − maximum), by query
export let dots: usize = 0; // D, by query
export let remainders: usize = 0; // Σ dS, by query
export let largest: usize = 0; // i32: the key that has more than half the weight, or −1, by query
export let queryLanes: usize = 0; // by eights: [headDim][8]
export let doutLanes: usize = 0; // by eights: [valueDim][8]
export let queryRows: usize = 0; // [64][headDim]
export let doutRows: usize = 0; // [64][valueDim]
export let dQueryRows: usize = 0; // [64][headDim]
// of the keys of a tile
export let keyFours: usize = 0; // by fours: [headDim][4]
export let valueFours: usize = 0; // by fours: [valueDim][4]
export let weights: usize = 0; // [64 keys][64 queries]
export let dScores: usize = 0; // [64 keys][64 queries]
// of the keys of a group; in the tensors themselves where a row there is as good
export let keyRows: usize = 0;
export let dKeyRows: usize = 0;
export let dValueRows: usize = 0;

/** Bytes of a row of keys and of values. */
export let wideKey: usize = 0;
export let wideValue: usize = 0;
/** Whether keys and their gradients are used where they lie: unchanged, and whole eights. */
export let keysInPlace: bool = false;
export let valuesInPlace: bool = false;

/** Lays out the memory from `scratch` on; returns its end. */
export function layOut(scratch: usize): usize {
  const headDim = <usize>call.headDim;
  const valueDim = <usize>call.valueDim;
  wideKey = ((headDim + 7) & ~7) << 2;
  wideValue = ((valueDim + 7) & ~7) << 2;
  keysInPlace = !changesKeys() && (headDim & 7) == 0;
  valuesInPlace = (valueDim & 7) == 0;
  const context = <usize>contextLength();
  const keys = keysInPlace ? 0 : context * wideKey;
  blocks = scratch;
  maxima = blocks + 8 * BLOCK_BYTES;
  inverses = maxima + STRIDE;
  dots = inverses + STRIDE;
  remainders = dots + STRIDE;
  largest = remainders + STRIDE;
  queryLanes = largest + STRIDE;
  doutLanes = queryLanes + headDim * STRIDE;
  queryRows = doutLanes + valueDim * STRIDE;
  doutRows = queryRows + <usize>TILE * wideKey;
  dQueryRows = doutRows + <usize>TILE * wideValue;
  keyFours = dQueryRows + <usize>TILE * wideKey;
  valueFours = keyFours + headDim * STRIDE;
  weights = valueFours + valueDim * STRIDE;
  dScores = weights + <usize>TILE * STRIDE;
  keyRows = dScores + <usize>TILE * STRIDE;
  dKeyRows = keyRows + keys;
  dValueRows = dKeyRows + keys;
  return dValueRows + (valuesInPlace ? 0 : context * wideValue);
}

/** Bytes of scratch that the backward pass needs. */
export function backwardScratch(): i32 {
  return <i32>layOut(0);
}

/** Lays out the memory, and empties the columns that round rows up. */
export function prepare(scratch: usize): void {
  layOut(scratch);
  memory.fill(queryRows, 0, keyFours - queryRows);
  if (!keysInPlace) memory.fill(keyRows, 0, dKeyRows - keyRows);
}

/** Takes the rows of keys from the tensors, where they are used in place. */
export function enterGroup(firstKey: i32): void {
  if (keysInPlace) {
    keyRows = k + <usize>firstKey * keyBytes;
    dKeyRows = dk + <usize>firstKey * keyBytes;
  }
  if (valuesInPlace) dValueRows = dv + <usize>firstKey * valueBytes;
}
