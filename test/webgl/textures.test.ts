/** On webgl the fused kernels read tensors in whatever texture they are, and scores a few at a time. */
import * as tf from '@tensorflow/tfjs';

import type {WebGLBackend} from '../../kernels/webgl/backend';
import {deviceOf} from '../../kernels/webgl/device';
import {LocalAttentionArgs, localAttention} from '../../src';
import type {LocalAttentionCall} from '../../src/attention/call';
import {BACKENDS, useBackend} from '../support/backends';
import {expectClose, tensor} from '../support/close';
import {generator, uniform} from '../support/inputs';
import {gradientTolerance} from '../support/tolerance';
import {goToCpu} from './on_cpu';

const SCORE_BYTES = 'LOCAL_ATTENTION_WEBGL_SCORE_BYTES';
const TARGETS = 'LOCAL_ATTENTION_WEBGL_TARGETS';

(BACKENDS.includes('webgl') ? describe : describe.skip)('webgl', () => {
  beforeEach(() => useBackend('webgl'));
  beforeEach(() => tf.engine().startScope());
  afterEach(() => {
    tf.engine().endScope();
    tf.env().set(SCORE_BYTES, 2 ** 27);
    tf.env().set(TARGETS, 'auto');
    tf.env().set('WEBGL_PACK', true);
  });

  const random = generator(6);
  const make = (...shape: number[]) => tensor(uniform(random, shape));

  /** Compares with the composite, gradients too: with cpu's, since a GPU's compiles for seconds. */
  async function expectComposite(
    [q, k, v]: tf.Tensor[],
    config: LocalAttentionArgs,
    call: LocalAttentionCall = {},
  ) {
    const dout = make(...v.shape);
    const bias = call.attnBias ? [call.attnBias as tf.Tensor] : [];
    const by = (implementation: 'fused' | 'composite') => {
      const attend = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, attnBias?: tf.Tensor) =>
        localAttention(q, k, v, {autopad: true, ...config, implementation}, {...call, attnBias});
      const {value, grads} = tf.valueAndGrads(attend)([q, k, v, ...bias], dout);
      return [value, ...grads];
    };
    const results = by('fused');
    await goToCpu(results);
    const wanted = by('composite');
    const context = 3 * config.windowSize;
    const tolerance = gradientTolerance({d: q.shape[q.rank - 1]!, context, largestScore: 4});
    for (const [at, got] of results.entries()) {
      const want = {shape: got.shape, data: await wanted[at].data()};
      await expectClose(['out', 'dq', 'dk', 'dv', 'dAttnBias'][at], got, want, tolerance);
    }
  }

  const OPTIONS = {windowSize: 13, causal: true, useXpos: true, dropout: 0.3};
  const options = () => ({
    mask: tf.greater(make(2, 203), -0.5) as tf.Tensor2D,
    attnBias: make(2, 13, 26),
    training: true,
    seed: 5,
  });
  const rows = (channels = 6) => make(2, 2, 203, channels);

  test('more rows than a texture is high', async () => {
    const n = 4001;
    await expectComposite([make(3, n, 18), make(3, n, 18), make(3, n, 5)], {windowSize: 33});
  });

  test('a tensor that was first used in another shape', async () => {
    const flat = make(8 * 256 * 34);
    tf.square(tf.reshape(flat, [8, 16, 16, 34]));
    await expectComposite([make(8, 256, 34), tf.reshape(flat, [8, 256, 34]), make(8, 256, 34)], {
      windowSize: 16,
    });
  });

  test('slices, which begin within the texture of another', async () => {
    const whole = tf.cumsum(tf.mul(make(1100), 0.1));
    const part = (at: number) => tf.reshape(tf.slice(whole, at, 540), [2, 45, 6]);
    await expectComposite([make(2, 45, 6), part(7), part(1)], {windowSize: 7});
  });

  test.each([true, false])('what other ops have packed: %s', async (pack) => {
    tf.env().set('WEBGL_PACK', pack);
    const q = tf.matMul(make(3, 45, 5), make(3, 5, 7));
    const k = tf.add(make(3, 45, 7), 0.1);
    await expectComposite([q, k, make(3, 45, 9)], {windowSize: 5, useRotaryPosEmb: false});
  });

  test('tensors so small that TF.js would send them as uniforms', async () => {
    const mask = tf.tensor2d([1, 0], [1, 2], 'bool');
    await expectComposite([make(2, 2), make(2, 2), make(2, 2)], {windowSize: 3}, {mask});
  });

  test.each([4, 2, 1])('%d targets, every option', async (targets) => {
    tf.env().set(TARGETS, targets);
    await expectComposite([rows(), rows(), rows(7)], OPTIONS, options());
  });

  test('scores of a few tiles at a time, every option', async () => {
    tf.env().set(SCORE_BYTES, 40_000);
    await expectComposite([rows(), rows(), rows(7)], OPTIONS, options());
  });

  test('what is not finite reaches no query by a bias of −∞, nor a key', async () => {
    const hidden = Array.from({length: 25}, (_, at) => (at % 5 === 3 && at !== 18 ? -Infinity : 0));
    const bias = tf.tensor2d(hidden, [5, 5]); // the fourth token is seen by itself alone
    const spoilt = uniform(random, [5, 6]);
    (spoilt.data as Float64Array)[3 * 6 + 2] = NaN;
    const config = {
      windowSize: 5,
      lookBackward: 0,
      lookForward: 0,
      implementation: 'fused',
    } as const;
    const attend = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
      localAttention(q, k, v, config, {attnBias: bias});
    const {value, grads} = tf.valueAndGrads(attend)(
      [make(5, 6), make(5, 6), tensor(spoilt)],
      make(5, 6),
    );
    const rowsOf = async (x: tf.Tensor) => {
      const data = await x.data();
      return [0, 1, 2, 3, 4].filter((row) =>
        data.subarray(6 * row, 6 * row + 6).some(Number.isNaN),
      );
    };
    expect(await rowsOf(value)).toEqual([3]);
    expect(await rowsOf(grads[0])).toEqual([3]);
  });

  test('a gradient is right though another backend computed the call', async () => {
    const [q, k, v] = [rows(), rows(), rows()];
    const dout = rows();
    const config = {windowSize: 13, autopad: true, implementation: 'fused'} as const;
    const by = (backend: string) =>
      tf.grads((q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => {
        void tf.setBackend(backend); // at once, since it runs already
        const out = localAttention(q, k, v, config);
        void tf.setBackend('webgl');
        return out;
      })([q, k, v], dout);
    const wanted = by('webgl');
    const tolerance = gradientTolerance({d: 6, context: 39, largestScore: 4});
    for (const [at, got] of by('cpu').entries()) {
      const want = {shape: got.shape, data: await wanted[at].data()};
      await expectClose(['dq', 'dk', 'dv'][at], got, want, tolerance);
    }
  });

  test('a texture for which there is no room is refused, and what was wrong before is no reason', () => {
    const {gl, maxSize, textures} = deviceOf(tf.backend() as unknown as WebGLBackend);
    const grid = {rows: 16, columns: 3, layers: 2};
    gl.enable(-1); // an error of others
    expect(() => textures.give(textures.take(grid))).not.toThrow();
    const layers = gl.getParameter(gl.MAX_ARRAY_TEXTURE_LAYERS) as number;
    const take = () => textures.take({rows: maxSize, columns: maxSize, layers});
    expect(take).toThrow(
      /^\[localAttention\] the device has no room for a texture of \d+\.0 MiB; attend/,
    );
    expect(gl.getError()).toBe(gl.NO_ERROR);
    expect(() => textures.give(textures.take(grid))).not.toThrow();
  });

  test.each(['lots', NaN, 0, -1])('a budget that is none is an error: %p', (budget) => {
    const x = make(5, 6);
    tf.env().set(SCORE_BYTES, budget);
    const {numTensors} = tf.memory();
    const attend = () => localAttention(x, x, x, {windowSize: 5, implementation: 'fused'});
    expect(attend).toThrow(`the flag ${SCORE_BYTES} must be a number of bytes above 0, got`);
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});
