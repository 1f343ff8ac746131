/** The tables that rotary keeps between calls: by all that changes them, and out of reach. */
import * as tf from '@tensorflow/tfjs';

import {rotary} from '../../src';
import {useBackend} from '../support/backends';

const {angles} = rotary;

beforeAll(() => useBackend('cpu'));

const cosOf = (...args: Parameters<typeof angles>) => {
  const {cos, sin} = angles(...args);
  const values = Array.from(cos.dataSync());
  tf.dispose([cos, sin]);
  return {shape: cos.shape, values};
};
const formula = (length: number, dim: number, {theta = 10000, offset = 0} = {}) => ({
  shape: [length, dim / 2],
  values: Array.from({length: (length * dim) / 2}, (_, i) => {
    const [row, m] = [Math.floor((2 * i) / dim), i % (dim / 2)];
    return Math.fround(Math.cos((offset + row) * theta ** ((-2 * m) / dim)));
  }),
});

test('no two calls share one unless all that changes it is the same', () => {
  const calls = [
    [6, 4, {}],
    [6, 4, {theta: 500}],
    [6, 4, {theta: 1000}],
    [6, 4, {offset: 1}],
    [6, 4, {offset: -1}],
    [6, 4, {offset: 11}],
    [6, 4, {theta: 500, offset: 1}],
    [6, 8, {}],
    [12, 2, {}],
    [3, 8, {}],
    [7, 4, {}],
    [64, 2, {}],
    [6, 42, {}],
  ] as const;
  for (const round of [1, 2]) {
    for (const [length, dim, options] of calls) {
      const got = {round, ...cosOf(length, dim, options)};
      expect(got).toEqual({round, ...formula(length, dim, options)});
    }
  }
});

test('a caller who writes into its tensor does not change the next one’s', () => {
  const first = angles(5, 4);
  first.cos.dataSync().fill(7);
  first.sin.dataSync().fill(7);
  const second = angles(5, 4);
  expect(Array.from(second.cos.dataSync())).toEqual(formula(5, 4).values);
  expect(second.sin.dataSync()[0]).toBe(0);
  tf.dispose([first.cos, first.sin, second.cos, second.sin]);
});

test('disposing the tensors leaves the next call its own', () => {
  cosOf(5, 6);
  expect(cosOf(5, 6)).toEqual(formula(5, 6));
});
