/**
 * Which of its two tiles the program multiplies with: 4 × 8, or 4 × 16, which is faster where there are
 * registers enough for it. TF.js's flag LOCAL_ATTENTION_WASM_TILE names one: 'auto' becomes the faster
 * at the first large call, or in ready(). Results are the same bits.
 */
import * as tf from '@tensorflow/tfjs';

import {fail} from '../../src/check/errors';

export type Tile = 'narrow' | 'wide';

const FLAG = 'LOCAL_ATTENTION_WASM_TILE';
tf.env().registerFlag(FLAG, () => 'auto');

/** The tile that the flag names, or null where none has been chosen yet. */
export function chosenTile(): Tile | null {
  const wanted = tf.env().getString(FLAG);
  if (wanted === 'auto') return null;
  if (wanted === 'narrow' || wanted === 'wide') return wanted;
  return fail('localAttention', `${FLAG} must be 'auto', 'narrow' or 'wide'`, wanted);
}

export function chooseTile(tile: Tile): void {
  tf.env().set(FLAG, tile);
}

const LEAST_GAIN = 0.95; // of the time, for which the wide tile is taken
const NEWS = 0.9; // of a time, less than which something was compiled better
const COMPILED = 0.6; // of a time, less than which that was the arithmetic
const WARM_UP = 2; // rounds, in which other things fall
const ROUNDS_WITHOUT = 3;
const PATIENCE = 50; // ms after which what was not compiled by then had been before
const MOST = 100; // ms

/**
 * The faster tile, by times of both in turn. An engine compiles a program badly at first, so that it runs
 * at a third of its speed, and better on another thread while it runs, which takes V8 some 30 ms: times
 * count from when they have fallen, and fall no longer.
 *
 * @param time ms of a call
 * @param now ms of a clock
 */
export function fasterTile(time: (tile: Tile) => number, now = () => performance.now()): Tile {
  const best = {narrow: Infinity, wide: Infinity};
  let [isCompiled, without] = [false, 0];
  const start = now();
  for (let [round, ms] = [0, 0]; ms < MOST; round++, ms = now() - start) {
    if ((isCompiled || ms > PATIENCE) && without >= ROUNDS_WITHOUT) break;
    without++;
    for (const tile of ['narrow', 'wide'] as const) {
      const taken = time(tile);
      if (taken < NEWS * best[tile]) without = 0;
      if (round >= WARM_UP && taken < COMPILED * best[tile]) isCompiled = true;
      best[tile] = Math.min(best[tile], taken);
    }
  }
  return best.wide < LEAST_GAIN * best.narrow ? 'wide' : 'narrow';
}
