/**
 * What only a layer that judges its inputs before TF.js does can refuse in time: TF.js builds a
 * layer before it calls it, and shows it nothing but shapes while a model is being built.
 */
import * as tf from '@tensorflow/tfjs';

import {layers} from '../../src';
import {useBackend} from '../support/backends';
import {Given, expectRefusalBy} from '../support/refusals';

beforeAll(() => useBackend('cpu'));

type Layer = tf.layers.Layer;
type Inputs = tf.Tensor | tf.Tensor[];
type Row = [string, () => Layer, (given: Given) => unknown, RegExp, object?];

const attention = (options = {}) => layers.localAttention({windowSize: 4, ...options});
const mha = () => layers.localMHA({dim: 6, windowSize: 4, heads: 2, dimHead: 4});
const rotary = () => layers.rotaryEmbedding();

const X = [2, 8, 6];
const INPUTS = /^\[LocalAttention\] inputs must be x or \[q, k, v\], and after them \[mask\],/;
const MHA_INPUTS = /^\[LocalMHA\] inputs must be x, and after it \[mask\], \[bias\] or/;

// TF.js would refuse these when the weights are there, or not at all
const TOO_LATE: Row[] = [
  ['int32', mha, (g) => g.of('int32', ...X), /^\[LocalMHA\] x must be float32/],
  ['a disposed tensor', mha, (g) => g.gone(g.f32(...X)), /^\[LocalMHA\] x must not be disposed/],
  ['a mask of another length', mha, (g) => [g.f32(...X), g.bool(2, 7)], /^\[LocalMHA\] mask must/],
  ['a disposed mask', mha, (g) => [g.f32(...X), g.gone(g.bool(2, 8))], /^\[LocalMHA\] mask must/],
  ['a bias of another window', mha, (g) => [g.f32(...X), g.f32(2, 3, 9)], /^\[LocalMHA\] attnBias/],
  ['a bias of 3 heads', mha, (g) => [g.f32(...X), g.f32(3, 4, 12)], /^\[LocalMHA\] the heads of/],
  ['[x, bias, mask]', mha, (g) => [g.f32(...X), g.f32(2, 4, 12), g.bool(2, 8)], MHA_INPUTS],
  ['[q, k, v]', mha, (g) => [g.f32(...X), g.f32(...X), g.f32(...X)], MHA_INPUTS],
  ['a window of the call', mha, (g) => g.f32(...X), /^\[LocalMHA\] windowSize/, {windowSize: 2}],
];

// TF.js would answer these itself, in words of its own
const UNHEARD: Row[] = [
  ['attention over no inputs', attention, () => [], INPUTS],
  ['attention over null', attention, () => null, INPUTS],
  [
    'attention over symbols and tensors',
    attention,
    (g) => [tf.input({shape: [8, 6]}), g.bool(2, 8)],
    INPUTS,
  ],
  ['multi-head attention over no inputs', mha, () => [], MHA_INPUTS],
  ['rotary over no inputs', rotary, () => [], /^\[RotaryEmbedding\] inputs must be one tensor/],
  [
    'training: yes',
    attention,
    (g) => g.f32(...X),
    /^\[LocalAttention\] training must/,
    {training: 'yes'},
  ],
  [
    'an unknown call option',
    attention,
    (g) => g.f32(...X),
    /^\[LocalAttention\] unknown/,
    {attnBias: 1},
  ],
];

const symbol = (shape: (number | null)[], dtype: tf.DataType = 'float32') =>
  tf.input({batchShape: shape, dtype});

// computeOutputShape sees shapes alone, of all inputs but without their dtypes
const UNSEEN: Row[] = [
  [
    'attention with a mask of another length',
    attention,
    () => [symbol(X), symbol([2, 7], 'bool')],
    /^\[LocalAttention\] mask/,
  ],
  [
    'attention with a float mask',
    attention,
    () => [symbol(X), symbol([2, 8])],
    /^\[LocalAttention\] a mask must be bool/,
  ],
  [
    'attention with a bias of another window',
    attention,
    () => [symbol(X), symbol([1, 3, 9])],
    /^\[LocalAttention\] attnBias/,
  ],
  [
    'attention over int32',
    attention,
    () => symbol(X, 'int32'),
    /^\[LocalAttention\] q must be float32/,
  ],
  ['attention over six inputs', attention, () => Array.from({length: 6}, () => symbol(X)), INPUTS],
  [
    'multi-head attention with a mask of another length',
    mha,
    () => [symbol(X), symbol([2, 7], 'bool')],
    /^\[LocalMHA\] mask/,
  ],
  [
    'multi-head attention with a bias of another window',
    mha,
    () => [symbol(X), symbol([2, 3, 9])],
    /^\[LocalMHA\] attnBias/,
  ],
  [
    'multi-head attention over int32',
    mha,
    () => symbol(X, 'int32'),
    /^\[LocalMHA\] x must be float32/,
  ],
  ['multi-head attention over [q, k, v]', mha, () => [symbol(X), symbol(X), symbol(X)], MHA_INPUTS],
  ['rotary over int32', rotary, () => symbol(X, 'int32'), /^\[RotaryEmbedding\] x must be float32/],
  [
    'rotary over two inputs',
    rotary,
    () => [symbol(X), symbol(X)],
    /^\[RotaryEmbedding\] inputs must be one tensor/,
  ],
];

test.each([...TOO_LATE, ...UNHEARD, ...UNSEEN])(
  '%s: refused before anything is made',
  (_, make, inputs, says, kwargs = {}) => {
    const layer = make();
    const call = (given: Given) => layer.apply(inputs(given) as Inputs, kwargs as never);
    expectRefusalBy(layer, call, says);
  },
);

test('a layer that has refused a symbolic input can be used and disposed', () => {
  const layer = attention();
  expect(() => layer.apply(symbol([2, 9, 6]))).toThrow('multiple of windowSize');
  const x = tf.ones(X);
  tf.dispose([layer.apply(x) as tf.Tensor, x]);
  layer.dispose();
});
