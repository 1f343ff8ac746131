/**
 * The small products of a token at a time that mix residual streams: the kernels of wasm and cpu against
 * the ops that stand for them elsewhere.
 */
import * as tf from '@tensorflow/tfjs';

import '../../kernels';
import {combine, dots} from '../../src/nn/token_rows';
import {BACKENDS, useBackend} from '../support/backends';
import {living} from '../support/close';
import {EPSILON} from '../support/tolerance';

const T = 5;
/** Rows of tokens, rows of the sources' tokens, rows that all tokens share, D: whole blocks of 16 numbers, and rests. */
const SIZES = [
  [1, [1], 0, 3],
  [3, [4], 0, 16],
  [4, [1, 4, 3], 6, 37],
  [2, [3, 1], 4, 64],
  [4, [2], 5, 131],
] as const;

const normal = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed);

describe.each(BACKENDS)('%s:', (backend) => {
  beforeAll(() => useBackend(backend));
  let before: ReturnType<typeof living>;
  beforeEach(() => void (before = living()));
  afterEach(() => expect(living()).toEqual(before));

  test.each(SIZES)('%j rows of %j and %j shared rows of %j', async (m, own, shared, dim) => {
    const count = own.reduce<number>((sum, rows) => sum + rows, shared);
    const sources = own.map((rows, i) => normal([T, rows, dim], 3 + i));
    if (shared > 0) sources.push(normal([shared, dim], 7));
    const factors = normal([T, m, count], 8);
    const x = normal([T, m, dim], 9);
    // autodiff sees ops alone
    const byOps = (f: () => tf.Tensor, shape: number[]) =>
      tf.tidy(() => {
        const watched = tf.valueAndGrad((one: tf.Tensor) => tf.mul(f(), one));
        return watched(tf.scalar(1), tf.zeros(shape)).value;
      });
    for (const [kernel, f] of [
      ['LocalAttentionCombine', () => combine(factors, sources)],
      ['LocalAttentionDots', () => dots(x, sources)],
    ] as const) {
      let got: tf.Tensor;
      const {kernelNames} = await tf.profile(() => void (got = f()));
      expect(kernelNames.includes(kernel)).toBe(['cpu', 'wasm'].includes(backend));
      const want = byOps(f, got!.shape);
      const [a, b] = await Promise.all([got!.data(), want.data()]);
      const largest = Math.max(...Array.from(b, Math.abs));
      const error = Math.max(...Array.from(a, (one, i) => Math.abs(one - b[i])));
      expect(error).toBeLessThan(100 * EPSILON * largest);
      tf.dispose([got!, want]);
    }
    tf.dispose([sources, factors, x]);
  });
});
