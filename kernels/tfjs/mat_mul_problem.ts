/** From the inputs of TF.js's BatchMatMul to a product of our program. */
import * as tf from '@tensorflow/tfjs';

import {sizeOf} from '../program/memory';
import {Product, fits} from '../program/product';

export interface MatMulInputs {
  a: tf.TensorInfo;
  b: tf.TensorInfo;
}

export interface MatMulAttrs {
  transposeA: boolean;
  transposeB: boolean;
}

/** A product, and whether TF.js pairs its matrices wrongly. */
export interface MatMulProblem {
  product: Product;
  isMispaired: boolean;
}

/** The product, or null for what is none of ours: other dtypes, nothing at all, or what TF.js refuses. */
export function problemOf(
  {a, b}: MatMulInputs,
  {transposeA, transposeB}: MatMulAttrs,
): MatMulProblem | null {
  if (a.dtype !== 'float32' || b.dtype !== 'float32') return null;
  if (a.shape.length < 2 || b.shape.length < 2) return null;
  const [rows, steps] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
  const [stepsOfB, columns] = transposeB ? b.shape.slice(-2).reverse() : b.shape.slice(-2);
  if (steps !== stepsOfB) return null;
  const [ofA, ofB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = broadcast(ofA, ofB);
  if (batch === null || sizeOf([...batch, rows, columns, steps]) === 0) return null;

  const sizes = {a: sizeOf(ofA), b: sizeOf(ofB), c: sizeOf(batch)};
  const pairs = Array.from({length: sizes.c}, (_, z) => [matrixOf(z, batch, ofA), matrixOf(z, batch, ofB)] as const); // prettier-ignore
  const isMispaired =
    sizes.c !== Math.max(sizes.a, sizes.b) ||
    pairs.some(([i, j], z) => i !== z % sizes.a || j !== z % sizes.b);
  const matrices = {a, transposeA, b, transposeB, columns, steps, shape: [...batch, rows, columns]};
  // one B for all rows of all matrices of A: they are the rows of one matrix
  const isOne = !transposeA && sizes.b === 1 && sizes.a === sizes.c;
  const product = isOne
    ? {...matrices, rows: rows * sizes.c, pairs: [[0, 0] as const]}
    : {...matrices, rows, pairs};
  return fits(product) ? {product, isMispaired} : null;
}

/** The batch that both are broadcast to, or null. */
function broadcast(a: number[], b: number[]): number[] | null {
  try {
    return tf.broadcast_util.assertAndGetBroadcastShape(a, b);
  } catch {
    return null;
  }
}

/** Which of the matrices of `own` is that of place z of `batch`. */
function matrixOf(z: number, batch: number[], own: number[]): number {
  let [matrix, stride] = [0, 1];
  for (let axis = 1; axis <= own.length; axis++) {
    const [size, ownSize] = [batch[batch.length - axis], own[own.length - axis]];
    if (ownSize > 1) matrix += (z % size) * stride;
    stride *= ownSize;
    z = Math.floor(z / size);
  }
  return matrix;
}
