/** How many scores there are at a time: those of a run of tiles, as many as the budget holds. */
import * as tf from '@tensorflow/tfjs';

import {fail} from '../../src/check/errors';
import type {Chunk} from './call';
import {Grid, Layout, fold} from './layout';
import {bytesOf} from './textures';

/** Most bytes of a texture of scores, of which there are at most three at a time. */
const FLAG = 'LOCAL_ATTENTION_WEBGL_SCORE_BYTES';
tf.env().registerFlag(FLAG, () => 2 ** 27);

/** The grid of the scores of a chunk, and the chunks. */
export function chunksOf(layout: Layout, maxSize: number): {grid: Grid; chunks: Chunk[]} {
  const whole = layout.grids.score;
  const perTile = bytesOf({width: whole.columns, height: 1}, whole);
  const ofTexture = Math.floor(maxSize / whole.columns) * Math.floor(maxSize / 8) * 8;
  const most = Math.max(8, Math.min(ofTexture, Math.floor(budget() / perTile / 8) * 8));
  const rows = Math.min(whole.rows, most);
  const chunks: Chunk[] = [];
  for (let first = 0; first < whole.rows; first += rows) {
    chunks.push({first, end: Math.min(whole.rows, first + rows)});
  }
  return {grid: {...whole, rows}, chunks};
}

function budget(): number {
  const bytes = tf.env().get(FLAG);
  if (typeof bytes === 'number' && bytes > 0) return bytes;
  fail('localAttention', `the flag ${FLAG} must be a number of bytes above 0`, bytes);
}

/** Why a texture of the layout would be too large, or null. */
export function tooLarge(layout: Layout, maxSize: number): string | null {
  for (const [name, grid] of Object.entries(layout.grids)) {
    const {width} = fold(name === 'score' ? {...grid, rows: 8} : grid, maxSize);
    if (width > maxSize) {
      return `a texture of this call would have ${width} texels in a row, and this device's have at most ${maxSize}`;
    }
  }
  return null;
}
