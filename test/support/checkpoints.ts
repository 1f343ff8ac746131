/** Checkpoints of the PyTorch original, written by scripts/make_checkpoints.py, and models for them. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

import * as tf from '@tensorflow/tfjs';

import {layers, localTransformer} from '../../src';
import cases from '../fixtures/checkpoints/cases.json';
import type {FixtureTensor} from './fixtures';

export interface CheckpointCase {
  name: string;
  config: Record<string, unknown>;
  file: string;
  /** Token ids, or vectors where there are no tokens. */
  x: FixtureTensor;
  /** What the original answers. */
  output: FixtureTensor;
}

export type Target = tf.LayersModel | tf.layers.Layer;

export const CHECKPOINTS = cases as object[] as CheckpointCase[];

export function checkpointCase(name: string): CheckpointCase {
  return CHECKPOINTS.find((one) => one.name === name)!;
}

export function fileOfCase({file}: CheckpointCase): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(join(__dirname, '../fixtures/checkpoints', file)));
}

/** A fresh model or layer of the case, built. */
export function targetOf({name, config, x}: CheckpointCase, seed = 3): Target {
  if (name.startsWith('LocalMHA')) {
    const layer = layers.localMHA({...config, seed} as never);
    layer.apply(tf.input({batchShape: x.shape}));
    return layer;
  }
  const {insertLayers = [], ...rest} = config as {insertLayers?: number[]};
  const inserted = insertLayers.map((at) => [at, tf.layers.dense({units: config.dim as number})]);
  return localTransformer({...rest, insertLayers: Object.fromEntries(inserted), seed} as never);
}

/** What the target answers on the inputs of the case. */
export async function outputOf(target: Target, {name, config, x}: CheckpointCase) {
  const ids = !name.startsWith('LocalMHA') && config.numTokens !== null;
  const input = tf.tensor(x.data, x.shape, ids ? 'int32' : 'float32');
  const output = target.apply(input) as tf.Tensor;
  const values = (await output.data()) as Float32Array;
  tf.dispose([input, output]);
  return values;
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} numbers against ${b.length}`);
  return Array.from(a).reduce((most, value, i) => {
    const difference = Math.abs(value - b[i]);
    return difference > most || Number.isNaN(difference) ? difference : most;
  }, 0);
}
