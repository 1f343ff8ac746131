/** Dropout by a counter: is it random enough, and the same wherever it is asked? */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {keepFactor, keepFactors, seedOfStep} from '../../src/attention/dropout';
import {Problem} from '../../src/attention/problem';
import {useBackend} from '../support/backends';
import {expectClose, tensor} from '../support/close';
import {QUICK, useAnyBuild, useImplementation} from '../support/implementations';
import {generator, uniform} from '../support/inputs';
import {outputTolerance, sumTolerance} from '../support/tolerance';

/** Standard deviations: a fair coin fails one test in two million. */
const SIGMAS = 5;

/** Whether weights are kept, by head, query and key. */
const SIZE = {heads: 8, queries: 128, keys: 96};
const TOTAL = SIZE.heads * SIZE.queries * SIZE.keys;

function pattern(rate: number, seed: number, at = {head: 0, query: 0, key: 0}): Uint8Array {
  const kept = new Uint8Array(TOTAL);
  const p = {dropout: rate, seed};
  let i = 0;
  for (let head = 0; head < SIZE.heads; head++) {
    for (let query = 0; query < SIZE.queries; query++) {
      for (let key = 0; key < SIZE.keys; key++) {
        kept[i++] = +(keepFactor(p, head + at.head, query + at.query, key + at.key) > 0);
      }
    }
  }
  return kept;
}

test.each([0.1, 0.3, 0.5, 0.9])('of the weights, a part of %d is dropped', (rate) => {
  const kept = pattern(rate, 1).reduce((a, b) => a + b, 0);
  const sigma = Math.sqrt(TOTAL * rate * (1 - rate));
  expect(Math.abs(kept - TOTAL * (1 - rate))).toBeLessThan(SIGMAS * sigma);
});

test('what is kept grows so that the expectation stays', () => {
  const factors = Array.from({length: 99}, (_, key) => keepFactor({dropout: 0.2, seed: 1}, 0, 0, key)); // prettier-ignore
  expect(new Set(factors)).toEqual(new Set([0, 1.25]));
});

test.each([
  ['rows of queries', SIZE.keys],
  ['heads', SIZE.keys * SIZE.queries],
])('the counts of %s scatter as a fair coin does: chi-square', (_, length) => {
  const rate = 0.3;
  const kept = pattern(rate, 2);
  const groups = TOTAL / length;
  let chiSquare = 0;
  for (let group = 0; group < groups; group++) {
    const count = kept.subarray(group * length, (group + 1) * length).reduce((a, b) => a + b, 0);
    chiSquare += (count - length * (1 - rate)) ** 2 / (length * rate * (1 - rate));
  }
  expect(Math.abs(chiSquare - groups)).toBeLessThan(SIGMAS * Math.sqrt(2 * groups));
});

const step = (head: number, query: number, key: number, seed = 0) => ({head, query, key, seed});

test.each([
  ['the next key', step(0, 0, 1)],
  ['the key after next', step(0, 0, 2)],
  ['the next query', step(0, 1, 0)],
  ['the next query and key: diagonals', step(0, 1, 1)],
  ['the next query, the key before: antidiagonals', step(0, 1, -1)],
  ['the next head', step(1, 0, 0)],
  ['the next head, the query before', step(1, -1, 0)],
  ['a window of 16 later', step(0, 16, 16)],
  ['the next seed', step(0, 0, 0, 1)],
  ['the next seed, the head before', step(-1, 0, 0, 1)],
  ['a seed of one other high bit', step(0, 0, 0, 2 ** 31)],
])('a weight tells nothing about %s', (_, {seed, ...by}) => {
  for (const rate of [0.1, 0.5]) {
    // from head, query and key 1, so that a step back is still a whole number
    const [a, b] = [pattern(rate, 40, step(1, 1, 1)), pattern(rate, 40 + seed, step(1 + by.head, 1 + by.query, 1 + by.key))]; // prettier-ignore
    let covariance = 0;
    for (let i = 0; i < TOTAL; i++) covariance += (a[i] - 1 + rate) * (b[i] - 1 + rate);
    const correlation = covariance / (TOTAL * rate * (1 - rate));
    expect(Math.abs(correlation)).toBeLessThan(SIGMAS / Math.sqrt(TOTAL));
  }
});

test('the steps of a run have seeds of their own, and two runs share none', () => {
  const seeds = [0, 1, 2].flatMap((run) =>
    Array.from({length: 1000}, (_, i) => seedOfStep(run, i)),
  );
  expect(new Set(seeds).size).toBe(seeds.length);
  expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)).toBe(true);
});

test('a table of factors holds what each head, query and key has by itself', async () => {
  await useBackend('cpu');
  const p = {dropout: 0.4, seed: 9, batch: 3, heads: 1, length: 20, windowSize: 5, lookBackward: 1, lookForward: 1}; // prettier-ignore
  const factors = keepFactors(p as unknown as Problem)!;
  const wanted: number[] = [];
  for (let head = 0; head < 3; head++) {
    for (let query = 0; query < 20; query++) {
      const first = (Math.floor(query / 5) - 1) * 5;
      for (let slot = 0; slot < 15; slot++) wanted.push(keepFactor(p, head, query, first + slot));
    }
  }
  expect(await factors.data()).toEqual(Float32Array.from(wanted));
  factors.dispose();
});

describe.each(QUICK)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const {implementation} = one;
  const CONFIG = {windowSize: 6, dropout: 0.3, implementation};

  test('drops the weights that the counter says, whatever computes them', async () => {
    const b = 2;
    const n = 18;
    // equal scores, and values that show one key each: the output is the weights
    const zeros = tf.zeros([b, n, 2]);
    const each = tf.tile(tf.expandDims(tf.eye(n), 0), [b, 1, 1]);
    const call = {training: true, seed: 123};
    const weights = localAttention(zeros, zeros, each, CONFIG, call);
    const want = Array.from({length: weights.size}, (_, at) => {
      const [head, query, key] = [Math.floor(at / (n * n)), Math.floor(at / n) % n, at % n];
      const windows = Math.abs(Math.floor(query / 6) - Math.floor(key / 6));
      const seen = windows <= 1 ? (query < 6 || query >= 12 ? 12 : 18) : Infinity;
      return keepFactor({dropout: 0.3, seed: 123}, head, query, key) / seen;
    });
    const sizes = {d: 2, context: 18, largestScore: 0};
    await expectClose('weights', weights, {shape: [b, n, n], data: want}, outputTolerance(sizes));
  });

  test('the same seed drops the same, another seed others, and no training none', async () => {
    const [q, k, v] = [0, 1, 2].map((seed) => tensor(uniform(generator(seed), [2, 18, 4])));
    const out = (call: object) => localAttention(q, k, v, CONFIG, call).data();
    const once = await out({training: true, seed: 5});
    expect(await out({training: true, seed: 5})).toEqual(once);
    expect(await out({training: true, seed: 6})).not.toEqual(once);
    const whole = await localAttention(q, k, v, {windowSize: 6, implementation}).data();
    expect(await out({seed: 5})).toEqual(whole);
  });

  test('the backward drops what the forward dropped: the output is linear in v', async () => {
    const random = generator(7);
    const [q, k, v, dout] = [0, 1, 2, 3].map(() => tensor(uniform(random, [2, 18, 4])));
    const call = {training: true, seed: 5};
    const attend = (v: tf.Tensor) => localAttention(q, k, v, CONFIG, call);
    // no term of the one sum is one of the other
    const loss = tf.sum(tf.mul(attend(v), dout));
    const terms = tf.mul(tf.grad(attend)(v, dout), v);
    const most = (await tf.sum(tf.abs(terms)).data())[0] / Math.abs((await loss.data())[0]);
    const want = {shape: [], data: await loss.data()};
    await expectClose('loss', tf.sum(terms), want, most * sumTolerance(terms.size));
  });
});
