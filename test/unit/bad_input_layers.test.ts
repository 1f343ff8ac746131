/** What the layers' constructors say about wrong arguments. */
import * as tf from '@tensorflow/tfjs';

import {layers} from '../../src';
import {show} from '../../src/check/errors';
import {useBackend} from '../support/backends';
import {expectRefusal} from '../support/refusals';

beforeAll(() => useBackend('cpu'));

const MAKE = {
  LocalAttention: {make: layers.localAttention, good: {windowSize: 4}},
  LocalMHA: {make: layers.localMHA, good: {dim: 6, windowSize: 4}},
  RotaryEmbedding: {make: layers.rotaryEmbedding, good: {}},
};
type Name = keyof typeof MAKE;
const NAMES = Object.keys(MAKE) as Name[];

function construct(name: Name, args: unknown): () => unknown {
  return () => MAKE[name].make(args as never);
}

const COUNT = (least: number) => `must be a whole number from ${least} to 16777216`;
const FLAG = 'must be true or false';
const FINITE = 'must be a finite number';
const SEED = 'must be a whole number from 0 to 4294967295';
const KERAS = 'must be what tf.layers.dense takes, such as';
const INITIALIZER = `${KERAS} 'zeros' or tf.initializers.zeros()`;
const REGULARIZER = `${KERAS} 'l1l2' or tf.regularizers.l2()`;
const CONSTRAINT = `${KERAS} 'nonNeg' or tf.constraints.nonNeg()`;

const VALUES: [Name, string, string, unknown[]][] = [
  ['LocalAttention', 'windowSize', COUNT(1), [0, -4, 4.5, NaN, '4', true]],
  ['LocalAttention', 'causal', FLAG, ['false', 1]],
  ['LocalAttention', 'dropout', `${FINITE}, at least 0 and less than 1`, [1, '0.5']],
  ['LocalAttention', 'seed', SEED, [-1, 0.5, NaN, 2 ** 32, '1', true]],
  ['LocalMHA', 'dim', COUNT(1), [0, -6, 6.5, NaN, Infinity, 1e30, '6', true]],
  ['LocalMHA', 'windowSize', COUNT(1), [0, 4.5, '4']],
  ['LocalMHA', 'dimHead', COUNT(1), [0, 4.5, NaN, '64']],
  ['LocalMHA', 'heads', COUNT(1), [0, -8, 2.5, NaN, Infinity, '8', true]],
  ['LocalMHA', 'lookForward', COUNT(0), [-1, '1']],
  ['LocalMHA', 'dropout', `${FINITE}, at least 0 and less than 1`, [1, -1, NaN, '0']],
  ['LocalMHA', 'prenorm', FLAG, [1, 'true']],
  ['LocalMHA', 'qkRmsnorm', FLAG, [0, 'yes']],
  ['LocalMHA', 'qkScale', FINITE, [NaN, Infinity, '8', true]],
  ['LocalMHA', 'qkScale', 'must be within the range of float32', [1e39]],
  ['LocalMHA', 'gateValuesPerHead', FLAG, [1, 'false']],
  ['LocalMHA', 'exactWindowsize', FLAG, [4]],
  ['LocalMHA', 'seed', SEED, [-1, 0.5, '1']],
  ['LocalMHA', 'kernelInitializer', INITIALIZER, ['glorot', 5, true]],
  ['LocalMHA', 'biasInitializer', INITIALIZER, ['none']],
  ['LocalMHA', 'gammaInitializer', INITIALIZER, ['once']],
  ['LocalMHA', 'kernelRegularizer', REGULARIZER, ['l3']],
  ['LocalMHA', 'kernelConstraint', CONSTRAINT, ['positive']],
  ['RotaryEmbedding', 'dim', COUNT(2), [0, 1, -2, 4.5, NaN, '8', true]],
  ['RotaryEmbedding', 'dim', 'must be even', [3, 65]],
  ['RotaryEmbedding', 'theta', `${FINITE}, at least 0.000001`, [0, -1, NaN, Infinity, '1e4']],
  ['RotaryEmbedding', 'offset', COUNT(-16777216), [0.5, NaN, Infinity, 1e30, '1', true]],
];

const WRONG_VALUES = VALUES.flatMap(([layer, option, rule, values]) =>
  values.map((value) => ({layer, option, value, says: `${option} ${rule}, got ${show(value)}`})),
);

test.each(WRONG_VALUES)('$layer, $option: $value is refused', ({layer, option, value, says}) => {
  expectRefusal(construct(layer, {...MAKE[layer].good, [option]: value}), `[${layer}] ${says}.`);
});

test.each<[Name, string, unknown, string]>([
  ['LocalAttention', 'no windowSize', {}, 'windowSize is required, got undefined'],
  ['LocalMHA', 'no dim', {windowSize: 4}, 'dim is required, got undefined'],
  ['LocalMHA', 'dim null', {windowSize: 4, dim: null}, 'dim is required, got null'],
  ['LocalMHA', 'no windowSize', {dim: 6}, 'windowSize is required, got undefined'],
  [
    'LocalAttention',
    'causal with lookForward',
    {windowSize: 4, causal: true, lookForward: 2},
    'lookForward must be 0 when causal is true, got 2',
  ],
  [
    'LocalMHA',
    'causal with lookForward',
    {dim: 6, windowSize: 4, causal: true, lookForward: 2},
    'lookForward must be 0 when causal is true, got 2',
  ],
  [
    'LocalMHA',
    'useXpos without rotary',
    {dim: 6, windowSize: 4, useXpos: true, useRotaryPosEmb: false},
    'useXpos: true needs useRotaryPosEmb: true, got useRotaryPosEmb: false',
  ],
  [
    'LocalMHA',
    'an odd dimHead with rotary',
    {dim: 6, windowSize: 4, dimHead: 5},
    'head size must be even for rotary embedding (or set useRotaryPosEmb: false), got 5',
  ],
  [
    'LocalAttention',
    'window_size',
    {window_size: 4},
    "unknown option 'window_size' (did you mean 'windowSize'?)",
  ],
  [
    'LocalMHA',
    'dim_head',
    {dim: 6, windowSize: 4, dim_head: 5},
    "unknown option 'dim_head' (did you mean 'dimHead'?)",
  ],
  [
    'LocalMHA',
    'numHeads',
    {dim: 6, windowSize: 4, numHeads: 2},
    "unknown option 'numHeads' (did you mean 'heads'?)",
  ],
  ['RotaryEmbedding', 'base', {base: 500}, "unknown option 'base' (known are dim, theta, offset)"],
])('%s: %s is refused', (layer, _, args, says) => {
  expectRefusal(construct(layer, args), `[${layer}] ${says}.`);
});

const NO_OPTIONS: [string, unknown][] = [
  ['null', null],
  ['4', 4],
  ["'4'", '4'],
  ['[4]', [4]],
];

test.each(NO_OPTIONS)('RotaryEmbedding: arguments that are %s are refused', (shown, args) => {
  const says = `options must be a plain object such as {dim: …}, got ${shown}`;
  expectRefusal(construct('RotaryEmbedding', args), `[RotaryEmbedding] ${says}.`);
});

describe.each(['LocalAttention', 'LocalMHA'] as const)('%s', (layer) => {
  test.each(NO_OPTIONS)('arguments that are %s are refused', (shown, args) => {
    const got = shown.replace(/[[\]]/g, '\\$&');
    const rule = `\\[${layer}\\] options must be a plain object such as \\{\\w+: …\\}`;
    expectRefusal(construct(layer, args), new RegExp(`^${rule}, got ${got}\\.$`));
  });
});

test.each(NAMES)('%s takes what every layer of tf.layers takes', (layer) => {
  const base = {name: `my_${layer}`, trainable: false, inputShape: [8, 6], batchSize: 2};
  const made = MAKE[layer].make({...MAKE[layer].good, ...base, dtype: 'float32'} as never);
  expect([made.name, made.trainable, made.batchInputShape]).toEqual([
    `my_${layer}`,
    false,
    [2, 8, 6],
  ]);
  expect(made.weights).toEqual([]);
});

test('an instance of an initializer is as good as its name', () => {
  const kernelInitializer = tf.initializers.randomNormal({seed: 1});
  expect(() => layers.localMHA({dim: 6, windowSize: 4, kernelInitializer})).not.toThrow();
});
