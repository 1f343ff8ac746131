/**
 * What each kernel and gradient that registerFasterKernels() replaces gains, at the sizes of a training
 * step: the table of docs/whole_models.md.
 *
 *     npx tsx bench/replaced.ts
 *
 * You will see a row for each: milliseconds of TF.js's own over those of ours, the least of many calls
 * in turn, and for a gradient, which is made of kernels, how many it runs; for a method, a step of its own,
 * with its gradient, among all that is replaced.
 */
import * as tf from '@tensorflow/tfjs';
import {registerFasterKernels} from 'tfjs-local-attention';

import {CPU_BACKENDS, installed} from './backend';
import {start} from './start';

type Shapes = Record<string, number[]>;

/** Shapes of the inputs, and the attributes. */
const KERNELS: Record<string, [inputs: Shapes, attrs: tf.NamedAttrMap]> = {
  BatchMatMul: [
    {a: [1, 512, 64], b: [1, 512, 256]},
    {transposeA: true, transposeB: false},
  ],
  _FusedMatMul: [{a: [1, 512, 256], b: [1, 256, 64]}, {transposeA: false, transposeB: false, activation: 'linear'}], // prettier-ignore
  ...Object.fromEntries(
    ['Add', 'Sub', 'Multiply', 'RealDiv', 'Minimum'].map((name) => [
      name,
      [{a: [2, 512, 256], b: [256]}, {}],
    ]),
  ),
  Concat: [{0: [1024, 256], 1: [1024, 256]}, {axis: 1}],
  Cast: [{x: [2, 512, 256]}, {dtype: 'float32'}],
  Erf: [{x: [2, 512, 1024]}, {}],
  Exp: [{x: [2, 512, 1024]}, {}],
  FusedBatchNorm: [
    Object.fromEntries(['x', 'mean', 'variance', 'scale', 'offset'].map((name) => [name, [1, 2, 512, 256]])), // prettier-ignore
    {varianceEpsilon: 1e-3},
  ],
  GatherV2: [
    {x: [256, 256], indices: [2, 512]},
    {axis: 0, batchDims: 0},
  ],
  Identity: [{x: [2, 512, 1024]}, {}],
  Rsqrt: [{x: [2, 512, 256]}, {}],
  Slice: [{x: [1024, 768]}, {begin: [0, 256], size: [1024, 256]}],
  SplitV: [{x: [1024, 768]}, {numOrSizeSplits: 3, axis: 1}],
  Sqrt: [{x: [256, 1024]}, {}],
  Sum: [{x: [2, 512, 1024]}, {axis: [0, 1], keepDims: false}],
  Tile: [{x: [1, 1, 256]}, {reps: [2, 512, 1]}],
  Transpose: [{x: [1024, 256]}, {perm: [1, 0]}],
  UnsortedSegmentSum: [{x: [512, 64], segmentIds: [512]}, {numSegments: 256}],
};

/** Shapes of dy and of what is saved, and the attributes. */
const GRADIENTS: Record<string, [dy: number[], saved: number[][], attrs: tf.NamedAttrMap]> = {
  FusedBatchNorm: [[1, 2, 512, 256], Array(4).fill([1, 2, 512, 256]) as number[][], {varianceEpsilon: 1e-3}], // prettier-ignore
  Mean: [[2, 512], [[2, 512, 256]], {axis: [2]}],
  Sum: [[2, 512], [[2, 512, 256]], {axis: [2]}],
  Tile: [[2, 512, 256], [[1, 1, 256]], {reps: [2, 512, 1]}],
};

/** A method that is replaced: whose it is, and a step that calls it, with the gradient where it has one. */
interface Method {
  owner: Record<string, unknown>;
  name: string;
  step(): tf.TensorContainer;
}

function methodsOf(): Record<string, Method> {
  const ofLayer = (layer: tf.layers.Layer, shape: number[]) => {
    const x = tensorOf(shape);
    tf.dispose(layer.apply(x) as tf.Tensor);
    const weights = layer.trainableWeights.map((one) => one.read());
    const f = (x: tf.Tensor) => layer.apply(x) as tf.Tensor;
    return () => tf.grads(f)([x, ...weights]);
  };
  const prototypeOf = (one: object) => Object.getPrototypeOf(one) as Record<string, unknown>;
  const gelu = tf.layers.activation({activation: 'gelu'});
  const norm = tf.layers.layerNormalization();
  const adam = tf.train.adam();
  const variable = tf.variable(tensorOf([256, 1024]));
  const gradients = {[variable.name]: tensorOf([256, 1024])};
  return {
    gelu: {
      owner: prototypeOf((gelu as unknown as {activation: object}).activation),
      name: 'apply',
      step: ofLayer(gelu, [2, 512, 1024]),
    },
    'LayerNormalization.call': {
      owner: prototypeOf(norm),
      name: 'call',
      step: ofLayer(norm, [2, 512, 256]),
    },
    'AdamOptimizer.applyGradients': {
      owner: prototypeOf(adam),
      name: 'applyGradients',
      step: () => adam.applyGradients(gradients as never),
    },
  };
}

/** Calls of each, but no more once so many milliseconds have passed. */
const CALLS = 15;
const ENOUGH = 1500;

/** Random numbers between 0 and 1, or ids. */
function tensorOf(shape: number[], name = ''): tf.Tensor {
  const isIds = name === 'indices' || name === 'segmentIds';
  return isIds ? tf.randomUniform(shape, 0, 256, 'int32') : tf.randomUniform(shape, 0.01, 1);
}

/** Milliseconds of each, the least of some calls in turn; the first is not counted. */
function race(runs: (() => void)[]): number[] {
  const least = runs.map(() => Infinity);
  const start = performance.now();
  for (let call = 0; call <= CALLS && (call < 2 || performance.now() < start + ENOUGH); call++) {
    for (const [at, run] of runs.entries()) {
      const begin = performance.now();
      tf.tidy(run);
      if (call > 0) least[at] = Math.min(least[at], performance.now() - begin);
    }
  }
  return least;
}

function raceKernels(name: string, funcs: tf.KernelFunc[]): number[] {
  const [shapes, attrs] = KERNELS[name];
  const named = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, tensorOf(shape, name)]),
  );
  // TF.js gives Concat a list
  const inputs = 0 in named ? (Object.values(named) as unknown as typeof named) : named;
  const times = race(
    funcs.map((func) => () => {
      for (const info of [func({inputs, attrs, backend: tf.backend()})].flat()) {
        tf.engine().makeTensorFromTensorInfo(info);
      }
    }),
  );
  tf.dispose(named);
  return times;
}

async function raceGradients(name: string, funcs: tf.GradFunc[]) {
  const [shape, saved, attrs] = GRADIENTS[name];
  const [dy, kept] = [tensorOf(shape), saved.map((one) => tensorOf(one))];
  const runs = funcs.map((func) => () => {
    for (const thunk of Object.values(func(dy, kept, attrs))) tf.tidy(thunk as () => tf.Tensor);
  });
  const times = race(runs);
  const counts: number[] = [];
  for (const run of runs) {
    const {kernels} = await tf.profile(() => {
      tf.tidy(run);
      return dy;
    });
    counts.push(kernels.length);
  }
  tf.dispose([dy, kept]);
  return {times, counts};
}

/** Theirs and ours by turns, among our other replacements. */
function raceMethods({owner, name, step}: Method, methods: unknown[]): number[] {
  const times = race(
    methods.map((method) => () => {
      owner[name] = method;
      tf.dispose(step());
    }),
  );
  owner[name] = methods.at(-1);
  return times;
}

async function main(): Promise<void> {
  const backends = CPU_BACKENDS.filter(installed);
  // the one of wasm is current at the end
  for (const backend of ['cpu', 'tensorflow', 'wasm'] as const) {
    if (backends.includes(backend)) await start(backend, 1);
  }
  const their = Object.entries(methodsOf()).map(([name, one]) => [name, one.owner[one.name]]);
  const theirMethods = Object.fromEntries(their) as Record<string, unknown>;
  const kernels = new Map(
    ['cpu', 'wasm'].flatMap((backend) =>
      tf.getKernelsForBackend(backend).map((one) => [`${backend} ${one.kernelName}`, one]),
    ),
  );
  const gradients = new Map(Object.keys(GRADIENTS).map((name) => [name, tf.getGradient(name)]));
  const gain = ([theirs, ours]: number[]) => `${Number((theirs / ours).toPrecision(2))}×`;
  console.log('| replaced | backend | why | gain |\n| --- | --- | --- | --: |');
  for (const one of registerFasterKernels()) {
    let won = '–';
    if ('gradient' in one && one.gradient in GRADIENTS) {
      const funcs = [gradients.get(one.gradient)!, tf.getGradient(one.gradient)].map(({gradFunc}) => gradFunc); // prettier-ignore
      const {times, counts} = await raceGradients(one.gradient, funcs);
      won = `${gain(times)}, kernels ${counts.join(' → ')}`;
    } else if (
      'kernel' in one &&
      one.kernel in theirMethods &&
      (backends as string[]).includes(one.backend)
    ) {
      await tf.setBackend(one.backend);
      const method = methodsOf()[one.kernel];
      won = gain(raceMethods(method, [theirMethods[one.kernel], method.owner[method.name]]));
      await tf.setBackend('wasm');
    } else if ('kernel' in one && one.kernel in KERNELS) {
      await tf.setBackend(one.backend);
      const theirs = kernels.get(`${one.backend} ${one.kernel}`)!;
      const ours = tf.getKernel(one.kernel, one.backend);
      won = gain(raceKernels(one.kernel, [theirs.kernelFunc, ours.kernelFunc]));
      await tf.setBackend('wasm');
    }
    const name = 'kernel' in one ? one.kernel : `gradient of ${one.gradient}`;
    console.log(`| ${name} | ${one.backend} | ${one.reason} | ${won} |`);
  }
}

void main();
