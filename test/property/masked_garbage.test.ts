import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {BACKENDS, useBackend} from '../support/backends';
import {PROGRAMS, useAnyProgram, useProgram} from '../support/programs';

const [BATCH, N, D] = [2, 11, 6];
const HIDDEN = [3, 4, 10];

/** Random, with `filler` in the hidden tokens. */
function sequence(seed: number, filler: number): tf.Tensor {
  return tf.tidy(() => {
    const hidden = tf.tensor1d(
      Array.from({length: N}, (_, i) => HIDDEN.includes(i)),
      'bool',
    );
    const x = tf.randomNormal([BATCH, N, D], 0, 1, 'float32', seed);
    return tf.where(tf.reshape(hidden, [1, N, 1]), tf.fill([BATCH, N, D], filler), x);
  });
}

const MEANS = [
  ...BACKENDS.map((backend) => ({
    name: `${backend}, composite`,
    implementation: 'composite' as const,
    use: () => useBackend(backend),
  })),
  ...PROGRAMS.map((program) => ({
    name: program.name,
    implementation: 'fused' as const,
    use: () => useProgram(program),
  })),
];

describe.each(MEANS)('$name', ({implementation, use}) => {
  beforeAll(use);
  afterAll(useAnyProgram);

  test.each([{}, {causal: true}, {sharedQk: true}, {useXpos: true}])(
    'what a mask hides may be NaN or Infinity in keys and values: %j',
    async (options) => {
      const config = {windowSize: 4, autopad: true, implementation, ...options};
      const mask = tf.tensor2d(
        Array.from({length: BATCH * N}, (_, i) => !HIDDEN.includes(i % N)),
        [BATCH, N],
        'bool',
      );
      const q = sequence(1, 0);
      const [want, ...others] = [0, NaN, Infinity].map((filler) => {
        const inputs = [q, sequence(2, filler), sequence(3, filler)];
        const {value, grads} = tf.valueAndGrads((...[q, k, v]) =>
          localAttention(q, k, v, config, {mask}),
        )(inputs);
        return [value, ...grads].map((x) => Array.from(x.dataSync()));
      });
      expect(want.flat().every(Number.isFinite)).toBe(true);
      for (const got of others) expect(got).toEqual(want);
    },
  );
});
