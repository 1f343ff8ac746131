/** What must hold where memory and numbers are at their limits, or what is asked for is not there. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {expectClose, tensor} from '../support/close';
import {
  FUSED,
  IMPLEMENTATIONS,
  PROGRAMS,
  useAnyBuild,
  useImplementation,
} from '../support/implementations';
import {generator, uniform} from '../support/inputs';
import {naiveLocalAttention} from '../support/naive';
import {largestProduct, outputTolerance} from '../support/tolerance';

describe.each(IMPLEMENTATIONS)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test.each([false, true])(
    'values near the largest of float32 have a mean: causal %s',
    async (causal) => {
      const random = generator(6);
      const shape = [3, 78, 6];
      const [q, k] = [0, 1].map(() => uniform(random, shape));
      const v = uniform(random, shape, 3.4e38);
      const config = {windowSize: 13, causal};
      const out = localAttention(tensor(q), tensor(k), tensor(v), {
        ...config,
        implementation: one.implementation,
      });
      const want = naiveLocalAttention(q, k, v, config);
      const sizes = {d: 6, context: 39, largestScore: largestProduct(q, k) / Math.sqrt(6)};
      await expectClose('out', out, want, outputTolerance(sizes));
    },
  );
});

describe.each(FUSED)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test('a second derivative is an error that says what to do', () => {
    const x = tf.randomUniform([2, 10, 4]);
    const f = (q: tf.Tensor) =>
      tf.sum(localAttention(q, x, x, {windowSize: 5, implementation: 'fused'}));
    const g = tf.grad(f);
    expect(() => tf.grad((q: tf.Tensor) => tf.sum(tf.square(g(q))))(x)).toThrow(
      "no second derivative; use implementation: 'composite'",
    );
  });
});

describe.each(PROGRAMS)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test('memory that grows during a call moves nothing from under it', async () => {
    const config = {windowSize: 16, causal: true, implementation: 'fused'} as const;
    const heap = () => {
      const {wasm} = tf.backend() as unknown as {wasm?: {HEAPU8: Uint8Array}};
      return wasm?.HEAPU8.buffer.byteLength ?? 0;
    };
    const x = tf.randomUniform([1, 64, 8], -1, 1, 'float32', 2);
    const small = await localAttention(x, x, x, config).data<'float32'>();
    let grown = false;
    for (let copies = 512; copies <= 32768 && !grown; copies *= 4) {
      const many = tf.tile(x, [copies, 1, 1]);
      const size = heap();
      const out = localAttention(many, many, many, config);
      grown = heap() > size || one.backend !== 'wasm'; // the others have a memory of ours
      const last = tf.slice(out, [copies - 1, 0, 0], [1, 64, 8]);
      expect(await last.data()).toEqual(small);
      expect(await tf.slice(out, [0, 0, 0], [1, 64, 8]).data()).toEqual(small);
      tf.dispose([many, out, last]);
    }
    expect(grown).toBe(true);
  });
});
