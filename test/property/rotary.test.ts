/** Laws of the rotary embedding, at positions small and large. */
import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';

import {rotary} from '../../src';
import {BACKENDS, useBackend} from '../support/backends';
import {expectClose, tensor} from '../support/close';
import {generator, uniform} from '../support/inputs';
import {Values} from '../support/naive';
import {sumTolerance} from '../support/tolerance';

const RUNS = {seed: 4, numRuns: 25};

/** Sequences of dimension d and where they stand. */
const PLACED = fc.record({
  half: fc.integer({min: 1, max: 20}),
  n: fc.integer({min: 1, max: 9}),
  offset: fc.constantFrom(0, 1, 517, 1e6, -1e6),
  seed: fc.integer(),
});

describe.each(BACKENDS)('%s', (backend) => {
  beforeAll(() => useBackend(backend));
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test('rotary keeps the norm of every pair of channels', () =>
    fc.assert(
      fc.asyncProperty(PLACED, async ({half, n, offset, seed}) => {
        const x = tensor(uniform(generator(seed), [n, 2 * half]));
        const pairs = (x: tf.Tensor) => tf.sum(tf.square(tf.reshape(x, [n, 2, half])), 1);
        const turned = pairs(rotary.apply(x, rotary.angles(n, 2 * half, {offset})));
        await expectClose('norms', turned, await read(pairs(x)), sumTolerance(2));
      }),
      RUNS,
    ));

  test('rotary by the opposite angles gives back what was rotated', () =>
    fc.assert(
      fc.asyncProperty(PLACED, async ({half, n, offset, seed}) => {
        const x = uniform(generator(seed), [n, 2 * half]);
        const {cos, sin} = rotary.angles(n, 2 * half, {offset});
        const turned = rotary.apply(tensor(x), {cos, sin});
        await expectClose('x', rotary.apply(turned, {cos, sin: tf.neg(sin)}), x, sumTolerance(4));
      }),
      RUNS,
    ));

  test('products of rotated vectors depend on the distance of their positions alone', () =>
    fc.assert(
      fc.asyncProperty(PLACED, async ({half, n, offset, seed}) => {
        const random = generator(seed);
        const [q, k] = [0, 1].map(() => tensor(uniform(random, [n, 2 * half])));
        const products = (first: number) => {
          const angles = rotary.angles(n, 2 * half, {offset: first});
          return tf.matMul(rotary.apply(q, angles), rotary.apply(k, angles), false, true);
        };
        const want = await read(products(0));
        // |q · k| may be far smaller than the d terms it is a sum of
        const most = Math.max(...(await tf.max(tf.abs(products(0))).data()), 1e-3);
        await expectClose(
          'q · k',
          products(offset),
          want,
          (sumTolerance(2 * half) * 2 * half) / most,
        );
      }),
      RUNS,
    ));
});

async function read(x: tf.Tensor): Promise<Values> {
  return {shape: x.shape, data: await x.data()};
}
