/** Products of matrices by loops in float64, and how far float32 may be from them. */
import * as tf from '@tensorflow/tfjs';

import {HOSTS, replacements} from '../../kernels/tfjs/mat_mul';
import {BACKENDS} from './backends';
import {RELAXED_RUNS} from './implementations';
import {EPSILON} from './tolerance';

export interface Operands {
  a: tf.Tensor;
  b: tf.Tensor;
  transposeA: boolean;
  transposeB: boolean;
}

/** What loops say: each number of the product, and how far sums in float32 may be from it. */
export interface Truth {
  shape: number[];
  data: Float64Array;
  bounds: Float64Array;
}

/** Those of this run whose products are ours. */
const named = BACKENDS.filter((name) => HOSTS.some(({backend}) => backend === name));
if (named.length === 0) console.log('skipped: products (neither cpu nor wasm is in this run)');

/** `describe` on each of them. */
export const describeEach = named.length > 0 ? describe.each(named) : describe.skip.each(['cpu']);

export const BUILDS = RELAXED_RUNS ? ['simd', 'relaxed'] : ['simd'];

export const TRANSPOSES = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

/** Operands of batches and of [rows, steps, columns], numbers from −1 to 1 that depend on those. */
export function operands(
  [ofA, ofB]: number[][],
  [rows, steps, columns]: number[],
  [transposeA, transposeB]: readonly boolean[],
): Operands {
  const shapeOf = (batch: number[], isAcross: boolean, down: number, side: number) =>
    isAcross ? [...batch, side, down] : [...batch, down, side];
  const a = tf.randomUniform(shapeOf(ofA, transposeA, rows, steps), -1, 1, 'float32', 1 + rows);
  const b = tf.randomUniform(shapeOf(ofB, transposeB, steps, columns), -1, 1, 'float32', 7 + steps);
  return {a, b, transposeA, transposeB};
}

/** How far a sum of so many products of numbers up to 1 may be from the true one. */
export function sumBound(terms: number): number {
  return (EPSILON / 2) * (terms + (terms * (terms + 1)) / 2);
}

/**
 * Of each sum, in its order: every step rounds a product and a sum, each by half an ε of itself
 * (Higham, Accuracy and Stability of Numerical Algorithms, section 3.3). The last ε is for what the bound
 * itself leaves out, and for a bias.
 */
export function multiplied({a, b, transposeA, transposeB}: Operands): Truth {
  const [rows, steps] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
  const columns = b.shape.at(transposeB ? -2 : -1)!;
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2)); // prettier-ignore
  const shape = [...batch, rows, columns];
  const [ofA, ofB] = [matricesOf(a), matricesOf(b)];
  const size = tf.util.sizeFromShape(shape);
  const truth = {shape, data: new Float64Array(size), bounds: new Float64Array(size)};
  for (let at = 0; at < size; at++) {
    const [i, j] = [Math.floor(at / columns) % rows, at % columns];
    const z = Math.floor(at / rows / columns);
    const place = tf.util.indexToLoc(z, batch.length, tf.util.computeStrides(batch));
    const [left, right] = [ofA(place), ofB(place)];
    let [sum, roundings] = [0, 0];
    for (let t = 0; t < steps; t++) {
      const product =
        left[transposeA ? t * rows + i : i * steps + t] *
        right[transposeB ? j * steps + t : t * columns + j];
      sum += product;
      roundings += (product < 0 ? -product : product) + (sum < 0 ? -sum : sum); // Math is slow in Jest
    }
    truth.data[at] = sum;
    truth.bounds[at] = (EPSILON / 2) * roundings + EPSILON * Math.abs(sum) + 2 ** -126;
  }
  return truth;
}

/** The values of the matrix that is at a place of the batch. */
function matricesOf(x: tf.Tensor): (place: number[]) => Float32Array {
  const values = x.dataSync() as Float32Array;
  const own = x.shape.slice(0, -2);
  const size = tf.util.sizeFromShape(x.shape.slice(-2));
  return (place) => {
    let matrix = 0;
    own.forEach((length, axis) => {
      matrix = matrix * length + (length === 1 ? 0 : place[place.length - own.length + axis]);
    });
    return values.subarray(matrix * size, (matrix + 1) * size);
  };
}

type Run = (inputs: tf.NamedTensorInfoMap, attrs: object) => tf.Tensor;

/** A kernel of TF.js, and ours in its place: as it ships, and for all that it can serve, however small. */
export function kernels(backend: string, kernel: string) {
  const {kernelFunc} = tf.getKernel(kernel, backend);
  const handedOn = jest.fn(kernelFunc);
  const run =
    (func: tf.KernelFunc): Run =>
    (inputs, attrs) => {
      const told = {inputs, attrs: attrs as tf.NamedAttrMap, backend: tf.backend()};
      return tf.engine().makeTensorFromTensorInfo(func(told) as tf.TensorInfo);
    };
  const ours = (leastWork?: number) => run(ourKernel(backend, kernel, leastWork).make(handedOn));
  return {theirs: run(kernelFunc), shipped: ours(), always: ours(0), handedOn};
}

function ourKernel(backend: string, kernel: string, leastWork?: number) {
  const host = HOSTS.find((one) => one.backend === backend)!;
  const always = leastWork === undefined ? host : {...host, leastWork: () => leastWork};
  return replacements(always).find((one) => one.kernel === kernel)!;
}

/** What `f` returns where our kernels stand in the place of those of TF.js, however small its products are. */
export function withOurs<T>(backend: string, f: () => T): T {
  const names = ['BatchMatMul', '_FusedMatMul'];
  const configs = names.map((name) => tf.getKernel(name, backend));
  const put = (config: tf.KernelConfig) => {
    tf.unregisterKernel(config.kernelName, backend);
    tf.registerKernel(config);
  };
  const never = () => {
    throw new Error('a product was handed on to TF.js');
  };
  for (const config of configs) {
    put({...config, kernelFunc: ourKernel(backend, config.kernelName, 0).make(never)});
  }
  try {
    return f();
  } finally {
    configs.forEach(put);
  }
}
