import * as tf from '@tensorflow/tfjs';

import type {Values} from './naive';
import {largest} from './tolerance';

/** float32 tensor of a reference. */
export function tensor({shape, data}: Values): tf.Tensor {
  return tf.tensor(Float32Array.from(data), [...shape]);
}

/** bool tensor of a reference that holds 0 and 1. */
export function boolTensor({shape, data}: Values): tf.Tensor {
  return tf.tensor(Uint8Array.from(data), [...shape], 'bool');
}

/** Largest |got − want|, as a part of the largest |want|. */
export async function relativeError(got: tf.Tensor, want: Values): Promise<number> {
  const values = await got.data();
  const scale = largest(want.data) || 1;
  let worst = 0;
  for (let i = 0; i < values.length; i++) {
    const error = Math.abs(values[i] - want.data[i]) / scale;
    if (!(error <= worst)) worst = error; // NaN too
  }
  return worst;
}

/**
 * Throws unless `got` has the shape of `want` and is within `tolerance` of it, as a part of the
 * largest |want|; says where it is worst, and shows the first five pairs. Returns the error.
 */
export async function expectClose(
  name: string,
  got: tf.Tensor,
  want: Values,
  tolerance: number,
): Promise<number> {
  if (!tf.util.arraysEqual(got.shape, [...want.shape])) {
    throw new Error(`${name} has the shape [${got.shape}] instead of [${want.shape}]`);
  }
  const error = await relativeError(got, want);
  if (error <= tolerance) return error;

  const values = await got.data();
  const distance = (i: number) => Math.abs(values[i] - want.data[i]);
  let worst = 0;
  for (let i = 1; i < values.length; i++) {
    if (!(distance(i) <= distance(worst)) && !Number.isNaN(distance(worst))) worst = i;
  }
  const pairs = Array.from(values.slice(0, 5), (value, i) => `${value} / ${want.data[i]}`);
  throw new Error(
    `${name} is ${(error / tolerance).toFixed(1)} times the tolerance ${tolerance} away: at ` +
      `${worst} got ${values[worst]}, want ${want.data[worst]}; first got / want: ${pairs.join(', ')}`,
  );
}

/** Tensors and data ids that exist now; both must be back after a call. */
export function living(): {tensors: number; dataIds: number} {
  const backend = tf.backend() as unknown as {numDataIds(): number};
  return {tensors: tf.memory().numTensors, dataIds: backend.numDataIds()};
}

/**
 * Throws unless both hold the same bits; on `tensorflow` only unless they are close, since native
 * products sum in an order that depends on where in memory a matrix lies.
 */
export async function expectSame(
  got: tf.Tensor,
  want: tf.Tensor,
  tolerance: () => number,
): Promise<void> {
  const wanted = {shape: want.shape, data: await want.data()};
  if (tf.getBackend() === 'tensorflow') await expectClose('result', got, wanted, tolerance());
  else expect(await got.data()).toEqual(wanted.data);
}
