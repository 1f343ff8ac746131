/** The kernel that TF.js's wasm backend lacks: cpu's numbers, and what it is for. */
import * as tf from '@tensorflow/tfjs';

import '../../src';
import {BACKENDS, useBackend} from '../support/backends';
import {living} from '../support/close';
import {sumTolerance} from '../support/tolerance';

const onBoth = BACKENDS.includes('cpu') && BACKENDS.includes('wasm');
if (!onBoth) console.log('skipped: UnsortedSegmentSum (it compares cpu with wasm)');

(onBoth ? describe : describe.skip)('UnsortedSegmentSum on wasm', () => {
  /** What `f` returns on either backend, which must leave nothing behind. */
  async function onEach<T>(f: () => Promise<T>): Promise<[cpu: T, wasm: T]> {
    const results: T[] = [];
    for (const backend of ['cpu', 'wasm']) {
      await useBackend(backend);
      const before = living();
      results.push(await f());
      expect(living()).toEqual(before);
    }
    return results as [T, T];
  }

  test.each([
    ['a vector', [7], [3, 0, 3, 1, 0, 0, 2]],
    ['rows', [5, 3], [0, 2, 2, 0, 3]],
    ['a block to an id', [4, 2, 3], [1, 1, 0, 3]],
    ['ids that are no segment', [6, 2], [-1, 0, 4, 1, -7, 100]],
    ['no rows', [0, 3], []],
  ])('sums are those of cpu: %s', async (_, shape, ids) => {
    const [cpu, wasm] = await onEach(async () => {
      const x = tf.randomUniform(shape, -1, 1, 'float32', 5);
      const segments = tf.tensor1d(ids, 'int32');
      const poison = tf.fill([4, ...shape.slice(1)], NaN);
      poison.dispose();
      const sums = tf.unsortedSegmentSum(x, segments, 4);
      const result = {shape: sums.shape, dtype: sums.dtype, data: Array.from(await sums.data())};
      tf.dispose([x, segments, sums]);
      return result;
    });
    expect({...wasm, data: []}).toEqual({...cpu, data: []});
    expectSums(wasm.data, cpu.data);
  });

  test('sums of int32 are float32, as on cpu', async () => {
    const [cpu, wasm] = await onEach(async () => {
      const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2], 'int32');
      const segments = tf.tensor1d([1, 0, 1], 'int32');
      const sums = tf.unsortedSegmentSum(x, segments, 2);
      const result = {dtype: sums.dtype, data: Array.from(await sums.data())};
      tf.dispose([x, segments, sums]);
      return result;
    });
    expect(wasm).toEqual(cpu);
  });

  test('a result that makes the memory grow', async () => {
    await useBackend('wasm');
    const before = living();
    const x = tf.ones([3, 2]);
    const segments = tf.tensor1d([1, 0, 1], 'int32');
    const many = 2 ** 23; // 64 MiB
    const sums = tf.unsortedSegmentSum(x, segments, many);
    const first = tf.slice(sums, [0, 0], [3, 2]);
    expect(Array.from(await first.data())).toEqual([1, 1, 2, 2, 0, 0]);
    tf.dispose([x, segments, sums, first]);
    expect(living()).toEqual(before);
  });

  test.each([0, 1])('the gradient of tf.gather is that of cpu: axis %d', async (axis) => {
    const [cpu, wasm] = await onEach(async () => {
      const x = tf.randomUniform([4, 5, 3], -1, 1, 'float32', 6);
      const indices = tf.tensor2d([3, 0, 3, 2], [2, 2], 'int32');
      const loss = (x: tf.Tensor) => tf.sum(tf.square(tf.gather(x, indices, axis)));
      const gradient = tf.grad(loss)(x);
      const data = Array.from(await gradient.data());
      tf.dispose([x, indices, gradient]);
      return data;
    });
    expectSums(wasm, cpu);
  });

  test('an embedding trains, as on cpu', async () => {
    const [cpu, wasm] = await onEach(async () => {
      const model = tf.sequential({
        layers: [
          tf.layers.embedding({inputDim: 7, outputDim: 5, inputLength: 3, embeddingsInitializer: tf.initializers.randomUniform({minval: -1, maxval: 1, seed: 8})}), // prettier-ignore
          tf.layers.flatten(),
          tf.layers.dense({units: 1, kernelInitializer: tf.initializers.randomUniform({minval: -1, maxval: 1, seed: 9})}), // prettier-ignore
        ],
      });
      const optimizer = tf.train.sgd(0.05);
      model.compile({loss: 'meanSquaredError', optimizer});
      const x = tf.tensor2d([0, 1, 2, 3, 4, 5, 6, 0, 6, 1, 1, 3], [4, 3]);
      const y = tf.tensor2d([1, -1, 0.5, 0], [4, 1]);
      const history = await model.fit(x, y, {epochs: 12, batchSize: 2, shuffle: false, verbose: 0});
      tf.dispose([x, y]);
      model.dispose();
      optimizer.dispose();
      return history.history.loss as number[];
    });
    expect(wasm[wasm.length - 1]).toBeLessThan(wasm[0] / 4);
    expectSums(wasm, cpu);
  });
});

/** Both sum at most some hundred numbers of about 1, in orders of their own. */
function expectSums(got: number[], want: number[]) {
  got.forEach((sum, at) => expect(Math.abs(sum - want[at])).toBeLessThan(sumTolerance(100)));
}
