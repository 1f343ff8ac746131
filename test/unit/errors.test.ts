import * as tf from '@tensorflow/tfjs';
import {fail, failType, refuse, show} from '../../src/check/errors';

tf.env().set('IS_TEST', true); // no greeting

test('fail throws a RangeError naming the function, the rule and the value', () => {
  const call = () => fail('localAttention', 'windowSize must be a positive integer', -1);
  expect(call).toThrow(RangeError);
  expect(call).toThrow('[localAttention] windowSize must be a positive integer, got -1.');
});

test('failType throws the same sentence as a TypeError', () => {
  const call = () => failType('fileSystem', 'directory must be a non-empty string', 5);
  expect(call).toThrow(TypeError);
  expect(call).toThrow('[fileSystem] directory must be a non-empty string, got 5.');
});

test('refuse throws a RangeError that ends as a sentence', () => {
  const call = () => refuse('localAttention', 'causal forbids lookForward: leave one out');
  expect(call).toThrow(RangeError);
  expect(call).toThrow('[localAttention] causal forbids lookForward: leave one out.');
});

class Window {}
const cyclic: {self?: unknown} = {};
cyclic.self = cyclic;

test.each<[string, unknown, string]>([
  ['a string in quotes', 'abc', "'abc'"],
  ['NaN', NaN, 'NaN'],
  ['an infinity', -Infinity, '-Infinity'],
  ['undefined', undefined, 'undefined'],
  ['null', null, 'null'],
  ['a boolean', false, 'false'],
  ['a bigint', 7n, '7n'],
  ['a symbol', Symbol('q'), 'Symbol(q)'],
  ['a named function', Math.max, 'the function max'],
  ['an array with its nulls', [null, 2, 'a'], "[null, 2, 'a']"],
  ['a typed array as an array', new Float32Array([1, 0.5]), '[1, 0.5]'],
  ['a plain object', {a: 1, b: {c: [2]}}, '{a: 1, b: {c: […]}}'],
  ['an object without prototype', Object.assign(Object.create(null), {a: 1}), '{a: 1}'],
  ['a cyclic object', cyclic, '{self: {self: {…}}}'],
  ['an instance by its class', new Window(), 'an instance of Window'],
])('show renders %s', (_what, value, text) => {
  expect(show(value)).toBe(text);
});

test('show renders a tensor and a symbolic tensor by dtype and shape', () => {
  const before = tf.memory().numTensors;
  const x = tf.zeros([2, 3]);
  expect(show(x)).toBe('a float32 tensor of shape [2, 3]');
  x.dispose();
  expect(show(tf.input({shape: [4]}))).toBe('a float32 tensor of shape [null, 4]');
  expect(tf.memory().numTensors).toBe(before);
});

test.each([
  ['string', 'x'.repeat(1000)],
  ['array', new Float32Array(1e6)],
  ['object', Object.fromEntries(Array.from({length: 1000}, (_, i) => [`key${i}`, i]))],
])('show cuts a long %s to 80 characters', (_kind, value) => {
  expect(show(value)).toHaveLength(80);
  expect(show(value)).toMatch(/…$/);
});
