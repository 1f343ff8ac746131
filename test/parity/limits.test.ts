/** Where a program could go wrong on its own: kinds of arrays, sizes, far looks, allocation. */
import * as tf from '@tensorflow/tfjs';

import {countMemories, peakOf} from '../../bench/memory';
import {layers, localAttention} from '../../src';
import {Case} from '../support/cases';
import {expectClose, living} from '../support/close';
import {FUSED, IMPLEMENTATIONS, useAnyBuild, useImplementation} from '../support/implementations';
import {tensorsOf} from '../support/inputs';
import {naiveLocalAttention, naiveLocalAttentionGrad} from '../support/naive';
import {gradientTolerance, outputTolerance} from '../support/tolerance';
import {truthOf} from '../support/truth';

countMemories();

/** Of eight tokens of size 4, which hold 0, 1 and 2. */
const SMALL = {d: 4, context: 12, largestScore: 8};

describe.each(IMPLEMENTATIONS)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());
  const {implementation} = one;

  test.each(['int32', 'bool'] as const)(
    'tensors that were cast from %s are numbers, upstream gradients too',
    async (dtype) => {
      const config = {windowSize: 4, useRotaryPosEmb: false};
      const whole = tf.cast(tf.cast(tf.mod(tf.range(0, 32, 1), 3), dtype), 'float32');
      const x = tf.reshape(whole, [1, 8, 4]);
      const values = {shape: x.shape, data: Array.from(await x.data(), Number)};
      const {value, grads} = tf.valueAndGrads((q, k, v) =>
        localAttention(q, k, v, {...config, implementation}),
      )([x, tf.clone(x), tf.clone(x)], x);
      const want = naiveLocalAttention(values, values, values, config);
      await expectClose('out', value, want, outputTolerance(SMALL));
      const wanted = naiveLocalAttentionGrad(values, values, values, config, {}, values);
      for (const [at, name] of (['dq', 'dk', 'dv'] as const).entries()) {
        await expectClose(name, grads[at], wanted[name], gradientTolerance(SMALL));
      }
      const layer = layers.localAttention({...config, implementation});
      await expectClose('a layer', layer.apply(x) as tf.Tensor, want, outputTolerance(SMALL));
    },
  );

  test('a look far beyond the ends costs no memory', async () => {
    const config = {windowSize: 64, lookForward: 0, sharedQk: true, implementation};
    const x = tf.ones([1, 64, 64]);
    const needed = async (lookBackward: number) => {
      const attend = (q: tf.Tensor, k: tf.Tensor) =>
        localAttention(q, k, x, {...config, lookBackward});
      const {peakMiB} = await peakOf(() => tf.grads(attend)([x, tf.clone(x)]));
      return peakMiB;
    };
    await needed(1); // what is kept between calls
    expect(await needed(200_000)).toBeLessThanOrEqual(2 * (await needed(1)) + 1);
  });

  test('a mask made from what is differentiated has no slope, and does no harm', async () => {
    const x = tf.randomUniform([2, 8, 4], 0, 1, 'float32', 3);
    const attend = (z: tf.Tensor, mask: tf.Tensor) =>
      localAttention(z, z, z, {windowSize: 4, implementation}, {mask});
    const maskOf = (z: tf.Tensor) => tf.cast(tf.floor(tf.div(tf.sum(z, -1), 2)), 'bool');
    const mask = maskOf(x);
    expect(new Set(await mask.data())).toEqual(new Set([0, 1]));
    const want = await tf
      .grad((z) => attend(z, mask))(x)
      .data();
    const got = tf.grad((z) => attend(z, maskOf(z)))(x);
    expect(await got.data()).toEqual(want);
  });

  test('dropout of nearly all drops nearly all', async () => {
    const x = tf.ones([1, 8, 4]);
    const call = {training: true, seed: 1};
    const config = {windowSize: 4, dropout: 1 - 1e-10, implementation};
    const out = localAttention(x, x, x, config, call);
    expect((await tf.max(tf.abs(out)).data())[0]).toBe(0);
  });
});

/** Where the fused kernels refuse the base, ordinary ops compute it. */
describe.each(FUSED)('%s, or what takes its place', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test.each([
    [16, 1],
    [16, 0.5],
    [4, 0.2],
    [2, 0.5],
  ])('xpos of window %i over %f tokens is what the loops say', async (windowSize, base) => {
    const config = {windowSize, useXpos: true, xposScaleBase: base};
    const c: Case = {name: 'xpos', config, shape: [1, 48, 6]};
    const {values, wanted} = truthOf(c);
    const {inputs, dout} = tensorsOf(c, values);
    const {value, grads} = tf.valueAndGrads((q, k, v) =>
      localAttention(q, k, v, {...config, implementation: 'auto'}),
    )(inputs, dout);
    for (const [at, {name, want, tolerance}] of wanted.entries()) {
      await expectClose(name, [value, ...grads][at], want, tolerance);
    }
  });
});

test('memory that wasm does not have is an error, which leaves nothing', async () => {
  const onWasm = FUSED.find(([, {backend}]) => backend === 'wasm');
  if (!onWasm) return console.log('skipped: no wasm among the named backends');
  await useImplementation(onWasm[1]);
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
  useAnyBuild();
});
