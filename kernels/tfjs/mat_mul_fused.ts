/**
 * _FusedMatMul: what comes after a product. A bias of one number a column, relu and relu6 are
 * computed where the product is written. A bias of another shape and the other activations are left
 * to the kernels of TF.js that compute them alone, which are what its own _FusedMatMul runs.
 *
 * TF.js's wasm has XNNPACK compute a product without transposes and batches. In its own loops it adds the
 * bias once for each 48 steps, and takes its last number for all rows but the first; relu cuts off parts
 * of sums there. So those are ours at any size, and right.
 */
import * as tf from '@tensorflow/tfjs';

import {sizeOf} from '../program/memory';
import type {Product} from '../program/product';
import {MatMulAttrs, MatMulInputs, problemOf} from './mat_mul_problem';

interface FusedInputs extends MatMulInputs {
  bias?: tf.TensorInfo;
  preluActivationWeights?: tf.TensorInfo;
}

interface FusedAttrs extends MatMulAttrs {
  activation: string;
  leakyreluAlpha?: number;
}

/** The product on a backend, or null where it is TF.js's turn; `isOurs` says that it must not be. */
type Multiply = (backend: object, product: Product, isOurs: boolean) => tf.TensorInfo | null;

const MOST: Record<string, number> = {relu: Infinity, relu6: 6};
const KERNELS: Record<string, string> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  sigmoid: 'Sigmoid',
  leakyrelu: 'LeakyRelu',
  prelu: 'Prelu',
};

/** Whether XNNPACK computes the product, where wasm is TF.js's. */
export function isForXnnpack({transposeA, transposeB, shape}: Product): boolean {
  return !transposeA && !transposeB && sizeOf(shape.slice(0, -2)) === 1;
}

/** _FusedMatMul on a backend. */
export function fusedMatMul(
  backendName: 'wasm' | 'cpu',
  multiply: Multiply,
  theirs: tf.KernelFunc,
): tf.KernelFunc {
  const isWasm = backendName === 'wasm';
  return (call) => {
    const inputs = call.inputs as unknown as FusedInputs;
    const attrs = call.attrs as unknown as FusedAttrs;
    const {bias, preluActivationWeights: alpha} = inputs;
    const {activation, leakyreluAlpha} = attrs;
    const problem = problemOf(inputs, attrs);
    const isKnown = activation === 'linear' || activation in KERNELS;
    if (!problem || !isKnown || (bias && isWasm && bias.shape.length !== 1)) return theirs(call);

    const {product} = problem;
    const addsBias = !bias || isOfColumns(bias, product.columns);
    const clamps = addsBias && activation in MOST;
    const isWrong = isWasm && (!addsBias || (!isForXnnpack(product) && (bias || clamps)));
    if (clamps) {
      // XNNPACK's NaN on x86
      const keepsNaN = !isWasm || !isForXnnpack(product);
      product.clamp = {least: 0, most: MOST[activation], keepsNaN};
    }
    if (addsBias) product.bias = bias;
    const {backend} = call;
    let c = multiply(backend, product, !!isWrong);
    if (!c) return theirs(call);

    /** Runs a kernel of TF.js on what there is so far. */
    const then = (kernel: string, inputs: tf.NamedTensorInfoMap, attrs?: tf.NamedAttrMap) => {
      const {dataId} = c!;
      c = tf.getKernel(kernel, backendName).kernelFunc({inputs, backend, attrs}) as tf.TensorInfo;
      (backend as {disposeData(id: object): boolean}).disposeData(dataId);
    };
    if (!addsBias) then('Add', {a: c, b: bias});
    if (activation !== 'linear' && !clamps) {
      then(KERNELS[activation], {x: c, alpha}, {alpha: leakyreluAlpha ?? 0});
    }
    return c;
  };
}

function isOfColumns({shape}: tf.TensorInfo, columns: number): boolean {
  return sizeOf(shape) === columns && shape.at(-1) === columns;
}
