/** Where a fused program could go wrong on its own: kinds of arrays, phases, sizes, allocation. */
import * as tf from '@tensorflow/tfjs';

import {LocalAttentionArgs, layers, localAttention} from '../../src';
import {expectClose, living, tensor} from '../support/close';
import {generator, uniform} from '../support/inputs';
import {naiveLocalAttention, naiveLocalAttentionGrad} from '../support/naive';
import {PROGRAMS, useAnyProgram, useProgram} from '../support/programs';

describe.each(PROGRAMS.map((program) => [program.name, program] as const))('%s', (_, program) => {
  beforeAll(() => useProgram(program));
  afterAll(useAnyProgram);
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test.each(['int32', 'bool'] as const)(
    'tensors that were cast from %s are numbers, upstream gradients too',
    async (dtype) => {
      const config = {windowSize: 4, useRotaryPosEmb: false};
      const whole = tf.cast(tf.cast(tf.mod(tf.range(0, 32, 1), 3), dtype), 'float32');
      const x = tf.reshape(whole, [1, 8, 4]);
      const values = {shape: x.shape, data: Array.from(x.dataSync(), Number)};
      const {value, grads} = tf.valueAndGrads((q, k, v) =>
        localAttention(q, k, v, {...config, implementation: 'fused'}),
      )([x, tf.clone(x), tf.clone(x)], x);
      const want = naiveLocalAttention(values, values, values, config);
      await expectClose('out', value, want, 1e-6);
      const wanted = naiveLocalAttentionGrad(values, values, values, config, {}, values);
      await expectClose('dv', grads[2], wanted.dv, 1e-6);
    },
  );

  test.each([
    [16, 1],
    [16, 0.5],
    [4, 0.2],
    [2, 0.5],
  ])('xpos of window %i over %f tokens has no NaN, whoever computes it', async (w, base) => {
    const random = generator(3);
    const [q, k, v] = [0, 1, 2].map(() => uniform(random, [1, 96, 16]));
    const config = {windowSize: w, useXpos: true, xposScaleBase: base};
    const {value, grads} = tf.valueAndGrads((...[a, b, c]) => localAttention(a, b, c, config))([
      tensor(q),
      tensor(k),
      tensor(v),
    ]);
    for (const x of [value, ...grads]) expect(x.dataSync().every(Number.isFinite)).toBe(true);
  });

  test('a look far beyond the ends costs no memory', () => {
    const options: LocalAttentionArgs = {windowSize: 64, lookBackward: 200_000, lookForward: 0};
    const x = tf.ones([1, 64, 64]);
    const config = {...options, sharedQk: true, implementation: 'fused'} as const;
    const before = process.memoryUsage().rss;
    const [gradient] = tf.grads((q, k) => localAttention(q, k, x, config))([x, tf.clone(x)]);
    expect(gradient.dataSync().every(Number.isFinite)).toBe(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
  });

  test('a mask made from what is differentiated has no slope, and does no harm', () => {
    const x = tf.ones([2, 8, 4]);
    const loss = (z: tf.Tensor) =>
      tf.sum(
        localAttention(z, z, z, {windowSize: 4}, {mask: tf.cast(tf.sum(z, -1), 'bool')}),
      ) as tf.Scalar;
    const gradient = tf.grad(loss)(x);
    expect(gradient.dataSync().every(Number.isFinite)).toBe(true);
  });

  test('dropout of nearly all drops nearly all', () => {
    const x = tf.ones([1, 8, 4]);
    const call = {training: true, seed: 1};
    const out = localAttention(x, x, x, {windowSize: 4, dropout: 1 - 1e-10}, call);
    expect(tf.max(tf.abs(out)).dataSync()[0]).toBe(0);
  });
});

test('memory that wasm does not have is an error, which leaves nothing', async () => {
  const [onWasm] = PROGRAMS.filter(({backend}) => backend === 'wasm');
  if (!onWasm) return console.log('skipped: no wasm among the named backends');
  await useProgram(onWasm);
  const x = tf.ones([1, 8, 4]);
  const {wasm} = tf.backend() as unknown as {wasm: {_malloc(bytes: number): number}};
  const {_malloc} = wasm;
  const config = {windowSize: 4, implementation: 'fused', useRotaryPosEmb: false} as const;
  tf.dispose(localAttention(x, x, x, config));
  const before = living();
  for (const failing of [0, 1, 2]) {
    let left = failing;
    wasm._malloc = (bytes) => (left-- === 0 ? 0 : _malloc(bytes));
    const call = () => localAttention(x, x, x, config);
    expect(call).toThrow(/^\[localAttention\] wasm has no \d+ bytes left\.$/);
    wasm._malloc = _malloc;
    expect(living()).toEqual(before);
  }
  x.dispose();
  useAnyProgram();
});

test('layers hand on such tensors as well', async () => {
  await useProgram(PROGRAMS[0]);
  const x = tf.cast(tf.ones([1, 8, 4], 'int32'), 'float32');
  const out = layers.localAttention({windowSize: 4}).apply(x) as tf.Tensor;
  expect(out.dataSync()[0]).toBeCloseTo(1, 6);
  tf.dispose([x, out]);
  useAnyProgram();
});
