/** A query that is nearly sure of one key: its scores' gradients are small, and exact all the same. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {tensor} from '../support/close';
import {FUSED, useAnyBuild, useImplementation} from '../support/implementations';
import {generator, uniform} from '../support/inputs';
import {gradientTolerance, largest} from '../support/tolerance';

const N = 20;
const OWN_WINDOW = {windowSize: N, lookBackward: 0, lookForward: 0, useRotaryPosEmb: false};
const TOLERANCE = gradientTolerance({d: 6, context: N, largestScore: 0});

describe.each(FUSED)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test.each([4, 8, 12])(
    'the slopes of a query’s scores sum to 0, but for rounding of their own size: ahead by %d',
    async (ahead) => {
      const random = generator(8);
      const [q, k, v, dout] = [0, 1, 2, 3].map(() => tensor(uniform(random, [N, 6])));
      // in one window a slot of the bias is a score, and its gradient the score's
      const bias = uniform(random, [N, N]);
      const values = Array.from(
        bias.data,
        (x, at) => x + (at % N === (7 * Math.floor(at / N)) % N ? ahead : 0),
      );
      const config = {
        windowSize: N,
        lookBackward: 0,
        lookForward: 0,
        implementation: 'fused',
      } as const;
      const attend = (attnBias: tf.Tensor) => localAttention(q, k, v, config, {attnBias});
      const slopes = await tf
        .grad(attend)(tf.tensor2d(values, [N, N]), dout)
        .data<'float32'>();
      for (let row = 0; row < N; row++) {
        const own = slopes.subarray(row * N, (row + 1) * N);
        const sum = own.reduce((a, b) => a + b, 0);
        expect(Math.abs(sum)).toBeLessThanOrEqual(TOLERANCE * largest(own));
      }
    },
  );

  test.each([4, 8, 12])(
    'so where all keys are one, and all queries, neither has a slope: ahead by %d',
    async (ahead) => {
      const random = generator(9);
      const [v, dout] = [0, 1].map(() => tensor(uniform(random, [N, 6])));
      const ones = tf.ones([N, 6]);
      const lead = Array.from({length: N * N}, (_, at) =>
        at % N === (7 * Math.floor(at / N)) % N ? ahead : 0,
      );
      const attnBias = tf.tensor2d(lead, [N, N]);
      const attend = (q: tf.Tensor, k: tf.Tensor, attnBias: tf.Tensor) =>
        localAttention(q, k, v, {...OWN_WINDOW, implementation: 'fused'}, {attnBias});
      const [dq, dk, slopes] = tf.grads(attend)([ones, tf.clone(ones), attnBias], dout);
      const size = largest(await slopes.data());
      expect(largest(await dq.data())).toBeLessThanOrEqual(TOLERANCE * size);
      const sums = await tf.sum(dk, 0).data();
      expect(largest(sums)).toBeLessThanOrEqual(N * TOLERANCE * size);
    },
  );
});
