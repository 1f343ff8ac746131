/** A window may look further than the sequence reaches: nothing is laid beside it that is not there. */
import * as tf from '@tensorflow/tfjs';

import {LocalAttentionArgs, localAttention} from '../../src';
import {expectClose, expectSame} from '../support/close';
import {COMPOSITES, QUICK, useAnyBuild, useImplementation} from '../support/implementations';
import {gradientTolerance, outputTolerance} from '../support/tolerance';

const FAR: [string, LocalAttentionArgs][] = [
  ['both ways', {windowSize: 3, lookBackward: 3, lookForward: 4}],
  ['exact', {windowSize: 3, exactWindowsize: true, lookBackward: 3, lookForward: 3}],
  ['xpos', {windowSize: 3, useXpos: true, xposScaleBase: 5, lookBackward: 4, lookForward: 3}],
];

describe.each(COMPOSITES)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);

  test.each([1, 12])('2^24 windows back are as many as there are: %d tokens', async (n) => {
    const x = tf.randomUniform([2, n, 6], -1, 1, 'float32', 5);
    const config = {windowSize: 1, causal: true, implementation: 'composite'} as const;
    const far = localAttention(x, x, x, {...config, lookBackward: 2 ** 24 - 1});
    const near = localAttention(x, x, x, {...config, lookBackward: n});
    const sizes = {d: 6, context: n, largestScore: 6};
    await expectSame(far, near, () => outputTolerance(sizes));
    tf.dispose([x, far, near]);
  });

  // a GPU compiles all of it twice; what is laid beside the tokens is the same there
  const run = QUICK.some(([, quick]) => quick === one) ? test : test.skip;
  run.each(FAR)('values and gradients by a far context, biased: %s', async (_, args) => {
    const n = 7;
    const config = {...args, autopad: true, implementation: 'composite'} as const;
    const {lookBackward = 1, lookForward = 1, windowSize} = args as Required<LocalAttentionArgs>;
    const context = (1 + lookBackward! + lookForward!) * windowSize;
    const tolerance = gradientTolerance({d: 6, context, largestScore: 7});
    const x = tf.randomUniform([2, n, 6], -1, 1, 'float32', 6);
    const attnBias = tf.randomUniform([2, windowSize, context], -1, 1, 'float32', 7);
    const f = (x: tf.Tensor, attnBias: tf.Tensor) =>
      localAttention(x, x, x, config, {attnBias, windowSize: null});
    const {value, grads} = tf.valueAndGrads(f)([x, attnBias]);

    // the same tokens amid as many windows as the context is long, the others masked
    const [before, after] = [lookBackward! * windowSize, lookForward! * windowSize + 2];
    const g = (x: tf.Tensor, attnBias: tf.Tensor) => {
      const wide = tf.pad(x, [[0, 0], [before, after], [0, 0]]); // prettier-ignore
      const mask = tf.pad(tf.ones([1, n], 'bool'), [[0, 0], [before, after]]); // prettier-ignore
      const out = localAttention(wide, wide, wide, config, {attnBias, mask});
      return tf.slice(out, [0, before, 0], [2, n, 6]);
    };
    const want = tf.valueAndGrads(g)([x, attnBias]);
    for (const [got, wanted] of [
      [value, want.value],
      [grads[0], want.grads[0]],
      [grads[1], want.grads[1]],
    ]) {
      // prettier-ignore
      const reference = {shape: wanted.shape, data: await wanted.data()};
      await expectClose('result', got, reference, tolerance);
    }
    tf.dispose([x, attnBias, value, grads, want.value, want.grads]);
  });
});
