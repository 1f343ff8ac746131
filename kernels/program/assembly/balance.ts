/**
 * Σ_j dS_j = 0 in each row, but for rounding. Where one key has nearly all the weight, its dS is what
 * rounding leaves of dP − D, and the other keys' are exact but small: there the remainder of the sum is
 * its error, and is taken from it.
 */
import * as room from './backward_memory';
import {call} from './call';
import {dbias} from './head';
import {addRow} from './rows';
import {biasOffset} from './windows';

/** Of the loaded queries i … i + rows − 1, whose keys have all been met; `from` is the key in row 0. */
export function balance(from: i32, i: i32, rows: i32): void {
  for (let r = 0; r < rows; r++) {
    const lane = (<usize>r) << 2;
    const key = load<i32>(room.largest + lane);
    if (key < 0 || (call.sharedQk && key == i + r)) continue; // a token's score with itself has none
    const error = load<f32>(room.inverses + lane) * load<f32>(room.remainders + lane);
    const keyRow = <usize>(key - from) * room.wideKey;
    const queryRow = <usize>r * room.wideKey;
    addRow(room.keyRows + keyRow, room.dQueryRows + queryRow, call.headDim, -error);
    addRow(room.queryRows + queryRow, room.dKeyRows + keyRow, call.headDim, -error);
    const slot = dbias + biasOffset(i + r, key);
    if (dbias) store<f32>(slot, load<f32>(slot) - error);
  }
}
