/** What localAttention says about wrong q, k and v; and what looks wrong but is not. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {useBackend} from '../support/backends';
import {living} from '../support/close';
import {Given, expectRefusal} from '../support/refusals';

beforeAll(() => useBackend('cpu'));

const TENSOR = 'must be a tf.Tensor of float32, got';
const CAST = (name: string) => `${name} must be float32 (tf.cast(${name}, 'float32') makes it so)`;
const ALIVE = 'must not be disposed (tf.keep or tf.clone keeps one), got';
const SAME = 'q and k must have the same shape, got [2, 8, 4] and';
const VALUES = 'k and v must agree in all axes but the last, got [2, 8, 4] and';
const EMPTY = 'the last axis of q, k and v must not be empty, got';
const MULTIPLE = 'sequence length must be a multiple of windowSize';
const PAD = '(or set autopad: true), got 8';
const EVEN = 'head size must be even for rotary embedding (or set useRotaryPosEmb: false), got 5';

type Row = [string, (given: Given) => {q?: unknown; k?: unknown; v?: unknown}, string, object?];

const ROWS: Row[] = [
  ['q null', () => ({q: null}), `q ${TENSOR} null`],
  ['q a plain array', () => ({q: [[1, 2]]}), `q ${TENSOR} [[1, 2]]`],
  ['q a typed array', () => ({q: new Float32Array(2)}), `q ${TENSOR} [0, 0]`],
  ['k a number', () => ({k: 1}), `k ${TENSOR} 1`],
  ['k a promise', () => ({k: Promise.resolve()}), `k ${TENSOR} an instance of Promise`],
  [
    'v a list of tensors',
    (g) => ({v: [g.f32(2, 8, 4)]}),
    `v ${TENSOR} [a float32 tensor of shape [2, 8, 4]]`,
  ],
  [
    'q symbolic',
    () => ({q: tf.input({shape: [8, 4]})}),
    'q must not be symbolic (symbolic tensors are for layers), got a float32 tensor of shape ' +
      '[null, 8, 4]',
  ],
  [
    'q disposed',
    (g) => ({q: g.gone(g.f32(2, 8, 4))}),
    `q ${ALIVE} a float32 tensor of shape [2, 8, 4]`,
  ],
  [
    'v disposed',
    (g) => ({v: g.gone(g.f32(2, 8, 4))}),
    `v ${ALIVE} a float32 tensor of shape [2, 8, 4]`,
  ],
  [
    'q int32',
    (g) => ({q: g.of('int32', 2, 8, 4)}),
    `${CAST('q')}, got an int32 tensor of shape [2, 8, 4]`,
  ],
  ['k bool', (g) => ({k: g.bool(2, 8, 4)}), `${CAST('k')}, got a bool tensor of shape [2, 8, 4]`],
  [
    'v string',
    (g) => ({v: g.of('string', 2, 8, 4)}),
    `${CAST('v')}, got a string tensor of shape [2, 8, 4]`,
  ],
  ['q a scalar', (g) => ({q: g.f32()}), 'q must have the shape [..., n, d], got []'],
  ['q of rank 1', (g) => ({q: g.f32(8)}), 'q must have the shape [..., n, d], got [8]'],
  ['k longer than q', (g) => ({k: g.f32(2, 12, 4), v: g.f32(2, 12, 4)}), `${SAME} [2, 12, 4]`],
  ['k of another head size', (g) => ({k: g.f32(2, 8, 6)}), `${SAME} [2, 8, 6]`],
  ['k of another rank', (g) => ({k: g.f32(1, 2, 8, 4)}), `${SAME} [1, 2, 8, 4]`],
  ['k of a single head, for all of q', (g) => ({k: g.f32(1, 8, 4)}), `${SAME} [1, 8, 4]`],
  ['v of another batch', (g) => ({v: g.f32(3, 8, 4)}), `${VALUES} [3, 8, 4]`],
  ['v of another length', (g) => ({v: g.f32(2, 12, 4)}), `${VALUES} [2, 12, 4]`],
  ['v of another rank', (g) => ({v: g.f32(8, 4)}), `${VALUES} [8, 4]`],
  ['v of no width', (g) => ({v: g.f32(2, 8, 0)}), `${EMPTY} [2, 8, 4] and [2, 8, 0]`],
  [
    'q and k of no width',
    (g) => ({q: g.f32(2, 8, 0), k: g.f32(2, 8, 0)}),
    `${EMPTY} [2, 8, 0] and [2, 8, 4]`,
  ],
  ['an odd head size with rotary', (g) => ({q: g.f32(2, 8, 5), k: g.f32(2, 8, 5)}), EVEN],
  ['n that the window does not divide', () => ({}), `${MULTIPLE} 3 ${PAD}`, {windowSize: 3}],
  ['n less than the window', () => ({}), `${MULTIPLE} 16 ${PAD}`, {windowSize: 16}],
  [
    'padding beyond all memory of the composite',
    () => ({}),
    '2 · 100000 tokens with windows of 100000 and a context of 100000 need a tensor of 74.5 ' +
      'GiB, and none may take more than 4 GiB; take a smaller context or batch',
    {windowSize: 1e5, autopad: true, implementation: 'composite'},
  ],
  [
    'a sequence that cannot be counted', // without a batch it takes no memory
    (g) => {
      const [q, k, v] = [0, 1, 2].map(() => g.f32(0, 2 ** 24 + 4, 4));
      return {q, k, v};
    },
    'sequence length, with its padding, must be at most 16777216, got 16777220',
  ],
];

test.each(ROWS)('%s is refused', (_, make, says, config = {}) => {
  expectRefusal((given) => {
    const made = make(given);
    const input = (name: 'q' | 'k' | 'v') =>
      (name in made ? made[name] : given.f32(2, 8, 4)) as tf.Tensor;
    return localAttention(input('q'), input('k'), input('v'), {windowSize: 4, ...config});
  }, `[localAttention] ${says}.`);
});

test.each([
  ['no tokens', [2, 3, 0, 4]],
  ['no batch', [0, 3, 8, 4]],
  ['no heads', [2, 0, 8, 4]],
  ['no batch and no tokens', [0, 3, 0, 4]],
])('%s is no mistake: the result is empty and has gradients', (_, shape) => {
  const before = living();
  const x = tf.zeros(shape);
  const mask = tf.zeros([shape[0], shape[2]], 'bool');
  const bias = tf.zeros([3, 4, 12]);
  const attend = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, attnBias: tf.Tensor) =>
    localAttention(q, k, v, {windowSize: 4}, {mask, attnBias});
  const {value, grads} = tf.valueAndGrads(attend)([x, x, x, bias], x);
  expect(value.shape).toEqual(shape);
  expect(grads.map((grad) => grad.shape)).toEqual([shape, shape, shape, bias.shape]);
  expect([...grads[3].dataSync()].every((number) => number === 0)).toBe(true);
  tf.dispose([x, mask, bias, value, grads]);
  expect(living()).toEqual(before);
});

test('after a refusal the same tensors give the right answer', () => {
  const x = tf.ones([1, 8, 4]);
  expect(() => localAttention(x, x, x, {windowSize: 3})).toThrow(RangeError);
  const out = localAttention(x, x, x, {windowSize: 4});
  for (const value of out.dataSync()) expect(value).toBeCloseTo(1, 6);
  tf.dispose([x, out]);
});
