/**
 * Which of its two tiles the program multiplies with: 4 × 8, or 4 × 16, which needs more registers
 * than x86 has without AVX2. TF.js's flag LOCAL_ATTENTION_WASM_TILE names one; results are the same
 * bits.
 */
import * as tf from '@tensorflow/tfjs';

import {fail} from '../../src/check/errors';

type Tile = 'narrow' | 'wide';

const FLAG = 'LOCAL_ATTENTION_WASM_TILE';
tf.env().registerFlag(FLAG, () => 'auto');

export function chosenTile(): Tile {
  const wanted = tf.env().getString(FLAG);
  if (wanted === 'auto') return 'narrow';
  if (wanted === 'narrow' || wanted === 'wide') return wanted;
  return fail('localAttention', `${FLAG} must be 'auto', 'narrow' or 'wide'`, wanted);
}
