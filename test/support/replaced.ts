/** A kernel of TF.js, and what stands in its place, to be called side by side. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

import type {Replacement} from '../../kernels/tfjs/replacement';
import {BACKENDS} from './backends';
import {living} from './close';

export type Inputs = Record<string, tf.Tensor | undefined>;
export type Run = (inputs: Inputs, attrs?: tf.NamedAttrMap) => tf.Tensor;

const MEMORIES = ['wasm', 'cpu'].filter((backend) => BACKENDS.includes(backend));

/** On each backend whose memory is at hand, or skipped where none of them is wanted. */
export const describeInMemory =
  MEMORIES.length > 0 ? describe.each(MEMORIES) : describe.skip.each(['wasm', 'cpu']);

/** Around each test of a `describe`: what it makes is disposed of, and nothing else is left. */
export function leavesNothing(): void {
  let before: ReturnType<typeof living>;
  beforeEach(() => {
    before = living();
    tf.engine().startScope();
  });
  afterEach(() => {
    tf.engine().endScope();
    expect(living()).toEqual(before);
  });
}

/** From now until it is restored: the memory of the current backend, wasm or cpu, is short once. */
export function shortOnce(): jest.SpyInstance {
  const made = tf.getBackend() === 'wasm' ? 'makeOutput' : 'makeTensorInfo';
  const backend = tf.backend() as unknown as Record<typeof made, () => unknown>;
  return jest.spyOn(backend, made).mockImplementationOnce(() => {
    throw new RangeError('no more');
  });
}

/** Of the replacements of one kernel on some backends, that of the current one. */
export function current(some: readonly Replacement[]): Replacement {
  return some.find(({backend}) => backend === tf.getBackend())!;
}

/** Both, and whether ours handed its last call on. */
export function both(given: Replacement | readonly Replacement[]) {
  const {kernel, backend, make} = 'make' in given ? given : current(given);
  const {kernelFunc} = tf.getKernel(kernel, backend);
  let handedOn = false;
  const theirs: tf.KernelFunc = (call) => {
    handedOn = true;
    return kernelFunc(call);
  };
  const run =
    (func: tf.KernelFunc): Run =>
    (inputs, attrs = {}) =>
      tf.tidy(() => {
        handedOn = false;
        const info = func({inputs, attrs, backend: tf.backend()}) as tf.TensorInfo;
        return tf.engine().makeTensorFromTensorInfo(info);
      });
  return {theirs: run(kernelFunc), ours: run(make(theirs)), wasHandedOn: () => handedOn};
}

/** Values of any dtype, none like its neighbours. */
export function someValues(shape: number[], dtype: tf.DataType = 'float32'): tf.Tensor {
  const count = shape.reduce((all, size) => all * size, 1);
  const value = (i: number) => (dtype === 'bool' ? (i % 3) % 2 : dtype === 'int32' ? i - 7 : Math.sin(i * i + 1)); // prettier-ignore
  return tf.tensor(
    Array.from({length: count}, (_, i) => value(i)),
    shape,
    dtype,
  );
}

export function expectSame(found: tf.Tensor, known: tf.Tensor): void {
  expect([found.shape, found.dtype]).toEqual([known.shape, known.dtype]);
  expect(found.dataSync()).toEqual(known.dataSync());
}

/** Shapes of so many axes, a few of them empty. */
export function shapes(least: number, most: number, largest = 7): fc.Arbitrary<number[]> {
  const some = {weight: 12, arbitrary: fc.integer({min: 1, max: largest})};
  const size = fc.oneof(some, {weight: 1, arbitrary: fc.constant(0)});
  return fc.array(size, {minLength: least, maxLength: most});
}

/** Two shapes of which the second is broadcast along some axes, or lacks the first ones; or the other way. */
export const broadcastPairs = fc
  .array(fc.tuple(fc.integer({min: 0, max: 5}), fc.constantFrom('both', 'a', 'b')), {maxLength: 5})
  .chain((axes) => fc.tuple(fc.constant(axes), fc.nat(axes.length), fc.boolean()))
  .map(([axes, missing, isSecond]) => {
    const of = (one: string) =>
      axes.map(([size, who]) => (who === 'both' || who === one ? size : 1));
    const [a, b] = [of('a'), of('b')];
    return isSecond ? [a, b.slice(missing)] : [a.slice(missing), b];
  });
