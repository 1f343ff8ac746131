/**
 * Angles as fused kernels take them: row r holds the cosines of phase `first` + r, then its sines,
 * both times the xpos scale of the phase where there is one.
 */
import {Kept} from './kept';
import {hostAngles} from './angles';
import {xposFactor} from './xpos';

export interface XposPhases {
  /** Tokens over which xpos decays. */
  base: number;
  /** The phase whose scale is 1. */
  centre: number;
  /** 1 for queries, −1 for keys. */
  sign: 1 | -1;
}

const kept = new Kept<Float32Array>(({byteLength}) => byteLength);

/** float32 [length][d] */
export function phaseTable(
  first: number,
  length: number,
  d: number,
  xpos: XposPhases | null,
): Float32Array {
  const key = `${first} ${length} ${d} ${xpos && `${xpos.base} ${xpos.centre} ${xpos.sign}`}`;
  return kept.get(key, () => makeTable(first, length, d, xpos));
}

function makeTable(
  first: number,
  length: number,
  d: number,
  xpos: XposPhases | null,
): Float32Array {
  const half = d / 2;
  const {cos, sin} = hostAngles(first, length, d);
  const table = new Float32Array(length * d);
  for (let row = 0; row < length; row++) {
    const fromCentre = xpos ? xpos.sign * (first + row - xpos.centre) : 0;
    for (let m = 0; m < half; m++) {
      const scale = xpos ? xposFactor(m, d, fromCentre / xpos.base) : 1;
      table[row * d + m] = cos[row * half + m] * scale;
      table[row * d + half + m] = sin[row * half + m] * scale;
    }
  }
  return table;
}
