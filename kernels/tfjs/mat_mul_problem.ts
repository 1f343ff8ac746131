/** From the inputs of TF.js's BatchMatMul to a product of our program. */
import * as tf from '@tensorflow/tfjs';

import {sizeOf} from '../program/memory';
import type {Product} from '../program/product';

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

/**
 * The product, or null for what is none of ours: other dtypes, nothing at all, or what TF.js refuses.
 * Small products come here too, so that it must be quick: in Node 20, `...` takes microseconds.
 */
export function problemOf(
  {a, b}: MatMulInputs,
  {transposeA, transposeB}: MatMulAttrs,
): MatMulProblem | null {
  if (a.dtype !== 'float32' || b.dtype !== 'float32') return null;
  const rankOfA = a.shape.length;
  const rankOfB = b.shape.length;
  if (rankOfA < 2 || rankOfB < 2) return null;
  const rows = a.shape[rankOfA - (transposeA ? 1 : 2)];
  const steps = a.shape[rankOfA - (transposeA ? 2 : 1)];
  const columns = b.shape[rankOfB - (transposeB ? 2 : 1)];
  if (steps !== b.shape[rankOfB - (transposeB ? 1 : 2)]) return null;
  if (rows === 0 || steps === 0 || columns === 0) return null;

  const pairing = rankOfA + rankOfB === 4 ? ONE : pairingOf(a.shape.slice(0, -2), b.shape.slice(0, -2)); // prettier-ignore
  if (!pairing) return null;
  const {batch, pairs, isMispaired, hasOneB} = pairing;
  const shape = batch.concat(rows, columns);
  // one B for all rows of all matrices of A: they are the rows of one matrix
  const isOne = hasOneB && !transposeA;
  const product = {
    a,
    transposeA,
    b,
    transposeB,
    rows: isOne ? rows * pairs.length : rows,
    columns,
    steps,
    pairs: isOne ? ONE.pairs : pairs,
    shape,
  };
  return {product, isMispaired};
}

/** Which matrices meet, by numpy's rule. */
interface Pairing {
  batch: number[];
  pairs: Product['pairs'];
  /** Whether TF.js has other ones meet: it counts on in both, and begins again at the end of one. */
  isMispaired: boolean;
  /** Whether each matrix of A meets the only one of B. */
  hasOneB: boolean;
}

const ONE: Pairing = {batch: [], pairs: [[0, 0]], isMispaired: false, hasOneB: true};

/** The pairing, or null where there is none, or an empty one. */
function pairingOf(ofA: number[], ofB: number[]): Pairing | null {
  const batch = broadcast(ofA, ofB);
  if (batch === null || sizeOf(batch) === 0) return null;
  const [sizeOfA, sizeOfB, size] = [ofA, ofB, batch].map(sizeOf);
  const pairs = Array.from({length: size}, (_, z) => [matrixOf(z, batch, ofA), matrixOf(z, batch, ofB)] as const); // prettier-ignore
  const isMispaired =
    size !== Math.max(sizeOfA, sizeOfB) ||
    pairs.some(([i, j], z) => i !== z % sizeOfA || j !== z % sizeOfB);
  return {batch, pairs, isMispaired, hasOneB: sizeOfB === 1 && sizeOfA === size};
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
