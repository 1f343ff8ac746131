/**
 * Angles as fused kernels take them: row p holds the cosines of phase p, then its sines, both
 * times the xpos scale of the phase where there is one. Kept, like rotary's own tables, by all
 * that they depend on.
 */
import {hostAngles, xposFactor} from './rotary';

export interface XposPhases {
  /** Tokens over which xpos decays. */
  base: number;
  /** The phase whose scale is 1. */
  centre: number;
  /** 1 for queries, −1 for keys. */
  sign: 1 | -1;
}

const kept = new Map<string, Float32Array>();
const MOST_KEPT = 16; // tables; a context is short

/** float32 [length][d] */
export function phaseTable(length: number, d: number, xpos: XposPhases | null): Float32Array {
  const key = JSON.stringify([length, d, xpos]);
  const table = kept.get(key) ?? makeTable(length, d, xpos);
  kept.delete(key);
  kept.set(key, table);
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!);
  return table;
}

function makeTable(length: number, d: number, xpos: XposPhases | null): Float32Array {
  const half = d / 2;
  const {cos, sin} = hostAngles(length, d);
  const table = new Float32Array(length * d);
  for (let p = 0; p < length; p++) {
    for (let m = 0; m < half; m++) {
      const scale = xpos ? xposFactor(m, d, (xpos.sign * (p - xpos.centre)) / xpos.base) : 1;
      table[p * d + m] = cos[p * half + m] * scale;
      table[p * d + half + m] = sin[p * half + m] * scale;
    }
  }
  return table;
}
