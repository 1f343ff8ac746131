/** Heads of tokens by one kernel on wasm and cpu: the bits of the ops. And products that are transposed first only where that is faster. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

import {registerHeads} from '../../kernels/tfjs/heads';
import {MAT_MUL} from '../../kernels/tfjs/mat_mul';
import {
  HeadSizes,
  MERGE_HEADS,
  SPLIT_HEADS,
  mergeHeads,
  mergeHeadsByOps,
  splitHeads,
  splitHeadsByOps,
} from '../../src/nn/attend_heads';
import {matMul} from '../../src/nn/mat_mul';
import {OURS} from '../../src/nn/own_kernel';
import {BACKENDS, useBackend} from '../support/backends';
import {
  current,
  describeInMemory,
  expectSame,
  leavesNothing,
  shortOnce,
  someValues,
} from '../support/replaced';

registerHeads();

describeInMemory('heads on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  leavesNothing();

  const sizes = fc.record({
    ...{batch: fc.integer({min: 1, max: 3}), n: fc.integer({min: 1, max: 5})},
    ...{heads: fc.integer({min: 1, max: 3}), dimHead: fc.constantFrom(1, 2, 3, 5, 8, 31, 64, 257)},
  });
  const wide = ({batch, n, heads, dimHead}: HeadSizes, parts: number) =>
    someValues([batch * n, parts * heads * dimHead]);

  test('tokens are split into heads, and heads merged, as by ops, for any parts of any sizes', () => {
    const check = (given: HeadSizes, parts: number) => {
      const x = wide(given, parts);
      const split = splitHeads(x, given);
      const known = splitHeadsByOps(x, given);
      expect(split.length).toBe(parts);
      split.forEach((part, i) => expectSame(part, known[i]));
      expectSame(mergeHeads(split, given), x);
      expectSame(mergeHeadsByOps(known, given), x);
    };
    fc.assert(fc.property(sizes, fc.integer({min: 1, max: 3}), check), {numRuns: 40, seed: 2});
  });

  test('each is one kernel, and ops where autodiff is to see them', async () => {
    const given = {batch: 2, n: 3, heads: 2, dimHead: 5};
    const namesOf = async (run: () => tf.Tensor) => (await tf.profile(run)).kernelNames;
    const f = (x: tf.Tensor) => mergeHeads(splitHeads(x, given), given);
    expect(await namesOf(() => f(wide(given, 3)))).toEqual([SPLIT_HEADS, MERGE_HEADS]);
    const names = await namesOf(() => tf.grad(f)(wide(given, 3)));
    expect(names).not.toContain(SPLIT_HEADS);
    expect(names).toContain('SplitV');
  });

  if (backend !== 'wasm') return;
  test('where memory is short, ops compute them', () => {
    const given = {batch: 2, n: 3, heads: 2, dimHead: 5};
    const x = wide(given, 3);
    const known = splitHeads(x, given);
    const runs: [() => tf.Tensor[], tf.Tensor[]][] = [
      [() => splitHeads(x, given), known],
      [() => [mergeHeads(known, given)], [x]],
    ];
    for (const [run, right] of runs) {
      const short = shortOnce();
      run().forEach((one, i) => expectSame(one, right[i]));
      expect(short.mock.calls.length).toBeGreaterThan(right.length);
      short.mockRestore();
    }
  });
});

const onWasm = BACKENDS.includes('wasm') ? describe : describe.skip;

onWasm('products on wasm', () => {
  beforeAll(() => useBackend('wasm'));
  leavesNothing();

  test('matrices are transposed before TF.js multiplies them, and not before we do', async () => {
    const [a, b] = [someValues([3, 5]), someValues([7, 3])];
    const run = () => matMul(a, b, true, true);
    const known = tf.matMul(a, b, true, true).dataSync();
    const isTransposed = async () => (await tf.profile(run)).kernelNames.includes('Transpose');
    const theirs = tf.getKernel('BatchMatMul', 'wasm');
    const near = () => run().dataSync().forEach((one, i) => expect(one).toBeCloseTo(known[i], 5)); // prettier-ignore
    expect(await isTransposed()).toBe(true);
    near();
    const put = (config: tf.KernelConfig) => {
      tf.unregisterKernel('BatchMatMul', 'wasm');
      tf.registerKernel(config);
    };
    put({...theirs, kernelFunc: current(MAT_MUL).make(theirs.kernelFunc), [OURS]: true} as tf.KernelConfig); // prettier-ignore
    try {
      expect(await isTransposed()).toBe(false);
      near();
    } finally {
      put(theirs);
    }
  });
});

const others = BACKENDS.filter((name) => name !== 'wasm');
const elsewhere = others.length > 0 ? describe.each(others) : describe.skip.each(['no backend']);

elsewhere('on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  leavesNothing();

  test('no matrix is transposed before it is multiplied', async () => {
    const [a, b] = [someValues([3, 5]), someValues([7, 3])];
    const {kernelNames, result} = await tf.profile(() => matMul(a, b, true, true));
    expect(kernelNames).not.toContain('Transpose');
    tf.dispose([a, b, result as tf.Tensor]);
  });
});
