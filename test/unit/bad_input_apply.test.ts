/** What the layers say about wrong inputs, of tensors and of symbolic tensors alike. */
import * as tf from '@tensorflow/tfjs';

import {layers} from '../../src';
import {useBackend} from '../support/backends';
import {Given, expectRefusalBy} from '../support/refusals';

beforeAll(() => useBackend('cpu'));

type Layer = tf.layers.Layer;
type Inputs = tf.Tensor | tf.Tensor[];
type Row = [string, () => Layer, (given: Given) => unknown, string | RegExp, object?];

const attention = (options = {}) => layers.localAttention({windowSize: 4, ...options});
const mha = (options = {}) =>
  layers.localMHA({dim: 6, windowSize: 4, heads: 2, dimHead: 4, ...options});
const rotary = (options = {}) => layers.rotaryEmbedding(options);

const MHA = 'x must have the shape [B, n, dim] with dim 6, got';
const EVEN = 'head size must be even for rotary embedding (or set useRotaryPosEmb: false), got 5';

const WRONG_SHAPES: [string, () => Layer, number[][], string][] = [
  ['attention over rank 1', attention, [[8]], 'q must have the shape [..., n, d], got [8]'],
  [
    'attention over n that is no multiple of the window',
    attention,
    [[2, 9, 6]],
    'sequence length must be a multiple of windowSize 4 (or set autopad: true), got 9',
  ],
  ['attention over an odd head size with rotary', attention, [[2, 8, 5]], EVEN],
  [
    'attention with a dim that is not the input’s',
    () => attention({dim: 6}),
    [[2, 8, 4]],
    'the last axis of q and k must be dim 6 (or leave dim out), got 4',
  ],
  [
    'attention with k longer than q',
    attention,
    [[2, 8, 6], [2, 12, 6], [2, 12, 6]], // prettier-ignore
    'q and k must have the same shape, got [2, 8, 6] and [2, 12, 6]',
  ],
  [
    'attention with v of another batch',
    attention,
    [[2, 8, 6], [2, 8, 6], [3, 8, 6]], // prettier-ignore
    'k and v must agree in all axes but the last, got [2, 8, 6] and [3, 8, 6]',
  ],
  ['multi-head attention over rank 2', mha, [[8, 6]], `${MHA} [8, 6]`],
  ['multi-head attention over rank 4', mha, [[2, 2, 8, 6]], `${MHA} [2, 2, 8, 6]`],
  ['multi-head attention over another dim', mha, [[2, 8, 5]], `${MHA} [2, 8, 5]`],
  ['rotary over rank 1', rotary, [[8]], 'x must have the shape [..., n, d], got [8]'],
  ['rotary over an odd size', rotary, [[2, 8, 5]], 'the last axis of x must be even, got 5'],
  [
    'rotary with a dim that is not the input’s',
    () => rotary({dim: 6}),
    [[2, 8, 4]],
    'the last axis of x must be dim 6 (or leave dim out), got 4',
  ],
];

describe.each(WRONG_SHAPES)('%s', (_, make, shapes, says) => {
  const one = <T>(inputs: T[]) => (inputs.length === 1 ? inputs[0] : inputs);

  test('is refused when it is applied to tensors', () => {
    const layer = make();
    const call = (given: Given) => layer.apply(one(shapes.map((shape) => given.f32(...shape))));
    expectRefusalBy(layer, call, says);
  });

  test('is refused when the model is built', () => {
    const layer = make();
    const call = () => layer.apply(one(shapes.map((shape) => tf.input({batchShape: shape}))));
    expectRefusalBy(layer, call, says);
  });
});

const X = [2, 8, 6];
const CAST = (name: string) => `${name} must be float32 (tf.cast(${name}, 'float32') makes it so)`;
const ALIVE = 'must not be disposed (tf.keep or tf.clone keeps one), got';
const BIAS = 'attnBias must have the shape [h, 4, 12] or [4, 12] (window × context), got';
const INPUTS = /^\[LocalAttention\] inputs must be x or \[q, k, v\], and after them \[mask\],/;

const ATTENTION: Row[] = [
  [
    'int32',
    attention,
    (g) => g.of('int32', ...X),
    `${CAST('q')}, got an int32 tensor of shape [2, 8, 6]`,
  ],
  [
    'a disposed tensor',
    attention,
    (g) => g.gone(g.f32(...X)),
    `q ${ALIVE} a float32 tensor of shape [2, 8, 6]`,
  ],
  ['a string', attention, () => 'x', INPUTS],
  ['numbers', attention, () => [[1, 2]], INPUTS],
  [
    '[x, y] with y of x’s shape',
    attention,
    (g) => [g.f32(...X), g.f32(...X)],
    /^\[LocalAttention\] \[x, y\] .* write \[q, k, v\]/,
  ],
  ['[x, bias, mask]', attention, (g) => [g.f32(...X), g.f32(1, 4, 12), g.bool(2, 8)], INPUTS],
  ['[x, mask, mask]', attention, (g) => [g.f32(...X), g.bool(2, 8), g.bool(2, 8)], INPUTS],
  ['six tensors', attention, (g) => Array.from({length: 6}, () => g.f32(...X)), INPUTS],
  [
    'a mask of another length',
    attention,
    (g) => [g.f32(...X), g.bool(2, 7)],
    'mask must have the shape [B, n] with n 8, got a bool tensor of shape [2, 7]',
  ],
  [
    'an int32 mask',
    attention,
    (g) => [g.f32(...X), g.of('int32', 2, 8)],
    /^\[LocalAttention\] a mask must be bool .* got an int32 tensor of shape \[2, 8\]\.$/,
  ],
  [
    'a disposed mask',
    attention,
    (g) => [g.f32(...X), g.gone(g.bool(2, 8))],
    `mask ${ALIVE} a bool tensor of shape [2, 8]`,
  ],
  [
    'a bias of another window',
    attention,
    (g) => [g.f32(...X), g.f32(1, 3, 9)],
    `${BIAS} a float32 tensor of shape [1, 3, 9]`,
  ],
  [
    'a window of the call without xpos',
    attention,
    (g) => g.f32(...X),
    'windowSize of the call needs useXpos: true (without xpos, set it in the config), got 2',
    {windowSize: 2},
  ],
  [
    'a window of the call that is a string',
    () => attention({useXpos: true}),
    (g) => g.f32(...X),
    "windowSize of the call must be a whole number from 1 to 16777216, got '2'",
    {windowSize: '2'},
  ],
  [
    'a mask in the call that is none',
    attention,
    (g) => g.f32(...X),
    "mask must be a living tensor of shape [2, 8], got 'all'",
    {mask: 'all'},
  ],
];

const OTHERS: Row[] = [
  [
    'rotary: int32',
    rotary,
    (g) => g.of('int32', ...X),
    `${CAST('x')}, got an int32 tensor of shape [2, 8, 6]`,
  ],
  [
    'rotary: a disposed tensor',
    rotary,
    (g) => g.gone(g.f32(...X)),
    `x ${ALIVE} a float32 tensor of shape [2, 8, 6]`,
  ],
  [
    'rotary: two tensors',
    rotary,
    (g) => [g.f32(...X), g.f32(...X)],
    /^\[RotaryEmbedding\] inputs must be one tensor \[\.\.\., n, d\], got /,
  ],
];

test.each([...ATTENTION, ...OTHERS])('%s: refused', (_, make, inputs, says, kwargs = {}) => {
  const layer = make();
  const call = (given: Given) => layer.apply(inputs(given) as Inputs, kwargs as never);
  expectRefusalBy(layer, call, says);
});

const symbol = (shape: number[]) => tf.input({batchShape: shape});

test('a symbolic [x, y] with y of x’s shape is refused when the model is built', () => {
  const layer = attention();
  const call = () => layer.apply([symbol(X), symbol(X)]);
  expectRefusalBy(layer, call, /^\[LocalAttention\] \[x, y\] .* write \[q, k, v\]/);
});
