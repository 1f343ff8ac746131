/**
 * The gradient, from the inputs, the output and the statistics of the softmax: weights are computed
 * again, so that nothing of the scores' size is ever kept. Up to 64 queries meet 64 keys at a time:
 *
 *     P = exp(S − maximum) / sum     dV += (P ∘ keep)ᵀ dO     dP = (dO Vᵀ) ∘ keep
 *     D = rowsum(dO ∘ O)             dS = P ∘ (dP − D)        dQ += dS K      dK += dSᵀ Q
 *
 * A key is met by the queries of several groups, always in the same order. This file goes over the
 * groups, with their keys; tile.ts has the queries and the sums above.
 */
import * as room from './backward_memory';
import {call} from './call';
import {dk, dq, dv, k, keyBytes, mask, v, valueBytes} from './head';
import {addRow, inverseNorm, placeKey, rotateBack, scaleRow} from './rows';
import {allFinite} from './simd';
import {balance} from './balance';
import {loadQueries, meetKeys, tileLength} from './tile';
import {angleOrigin, endKey, firstKey, groupLength} from './windows';

/** The queries start … stop − 1 of the head, whole groups. dk, dv and dbias are added to; dq is written. */
export function attendBackward(start: i32, stop: i32, scratch: usize): void {
  room.prepare(scratch);
  const group = groupLength();
  const tile = tileLength();
  for (; start < stop; start += group) {
    const origin = angleOrigin(start);
    const end = min(start + group, stop);
    const from = firstKey(start);
    const to = endKey(end - 1);
    room.enterGroup(from);
    const finite = loadKeys(from, to, origin);
    for (let i = start; i < end; i += tile) {
      const rows = min(tile, end - i);
      loadQueries(i, rows, origin);
      meetKeys(from, rows, finite);
      balance(from, i, rows);
      storeQueryGradients(i, rows, origin);
    }
    storeKeyGradients(from, to, origin);
  }
}

/** The keys from … to − 1 as the queries meet them; answers whether they and their values are finite. */
function loadKeys(from: i32, to: i32, origin: i32): bool {
  const count = <usize>(to - from);
  if (!room.keysInPlace) {
    for (let j = from; j < to; j++) {
      placeKey(k + <usize>j * keyBytes, room.keyRows + <usize>(j - from) * room.wideKey, j - origin);
    }
    memory.fill(room.dKeyRows, 0, count * room.wideKey);
  }
  if (!room.valuesInPlace) memory.fill(room.dValueRows, 0, count * room.wideValue);
  const values = v + <usize>from * valueBytes;
  return allFinite(room.keyRows, count * room.wideKey) && allFinite(values, count * valueBytes);
}

function storeQueryGradients(i: i32, rows: i32, origin: i32): void {
  for (let r = 0; r < rows; r++) {
    const row = room.dQueryRows + <usize>r * room.wideKey;
    if (call.queryAngles) rotateBack(row, call.queryAngles + <usize>(i + r - origin) * keyBytes);
    scaleRow(row, dq + <usize>(i + r) * keyBytes, call.headDim, call.scale);
  }
}

/** Adds what is not added in place. A masked key has gradients of 0, whatever its values. */
function storeKeyGradients(from: i32, to: i32, origin: i32): void {
  if (room.keysInPlace && room.valuesInPlace) return;
  for (let j = from; j < to; j++) {
    if (mask && !load<u8>(mask + <usize>j)) continue;
    const slot = <usize>(j - from);
    if (!room.valuesInPlace) {
      addRow(room.dValueRows + slot * room.wideValue, dv + <usize>j * valueBytes, call.valueDim, 1);
    }
    if (room.keysInPlace) continue;
    const gradient = room.dKeyRows + slot * room.wideKey;
    if (call.keyAngles) rotateBack(gradient, call.keyAngles + <usize>(j - origin) * keyBytes);
    if (call.sharedQk) normaliseBack(k + <usize>j * keyBytes, gradient);
    addRow(gradient, dk + <usize>j * keyBytes, call.headDim, 1);
  }
}

/** From the gradient of x / ‖x‖ to that of x, in place. */
function normaliseBack(x: usize, gradient: usize): void {
  const inverse = inverseNorm(x);
  let along: f32 = 0; // 0 where the norm is below its least value: a constant factor then
  if (inverse < 1e12) {
    for (let c: usize = 0; c < keyBytes; c += 4) {
      along += load<f32>(x + c) * load<f32>(gradient + c);
    }
    along *= inverse * inverse;
  }
  for (let c: usize = 0; c < keyBytes; c += 4) {
    store<f32>(gradient + c, inverse * (load<f32>(gradient + c) - along * load<f32>(x + c)));
  }
}
