/** What localAttention says about wrong options, and that it has done nothing yet. */
import * as tf from '@tensorflow/tfjs';

import {LocalAttentionArgs, localAttention} from '../../src';
import {show} from '../../src/check/errors';
import {useBackend} from '../support/backends';
import {BadCall, expectRefusal} from '../support/refusals';

beforeAll(() => useBackend('cpu'));

/** Good tensors, with this config. */
function withConfig(config: unknown): BadCall {
  return (given) => {
    const [q, k, v] = [0, 1, 2].map(() => given.f32(2, 3, 8, 4));
    return localAttention(q, k, v, config as LocalAttentionArgs);
  };
}

const FLAG = 'must be true or false';
const COUNT = 'must be a whole number from 0 to 16777216';
const SIZE = 'must be a whole number from 1 to 16777216';
const RATE = 'must be a finite number, at least 0 and less than 1';
const POSITIVE = 'must be a finite number, greater than 0';
const LIST = 'must be an array that begins with the head size (or use dim)';
const ONE_OF = "must be one of 'auto', 'fused', 'composite'";

const VALUES: [string, string, unknown[]][] = [
  ['windowSize', SIZE, [0, -4, 4.5, NaN, Infinity, -Infinity, 1e30, '4', true, 4n, [4], {}]],
  ['lookBackward', COUNT, [-1, 0.5, NaN, Infinity, 1e30, '1', false, [1]]],
  ['lookForward', COUNT, [-1, 0.5, NaN, Infinity, 1e30, '1', true]],
  ['dim', SIZE, [0, -4, 4.5, NaN, Infinity, 1e30, '4', [4]]],
  ['dropout', RATE, [1, -0.1, NaN, Infinity, 1e30, '0.1', true]],
  ['scale', 'must be a finite number', [NaN, Infinity, -Infinity, '1', true, [1]]],
  ['scale', 'must be within the range of float32', [1e39, -1e300]],
  ['xposScaleBase', POSITIVE, [0, -1, NaN, Infinity, '8', true]],
  ['causal', FLAG, [1, 0, 'false', NaN, []]],
  ['sharedQk', FLAG, [0, 'true']],
  ['autopad', FLAG, [1, 'yes']],
  ['exactWindowsize', FLAG, [4, 'true']],
  ['useRotaryPosEmb', FLAG, [0, 'false']],
  ['useXpos', FLAG, [1, 'true']],
  ['relPosEmbConfig', LIST, [4, '4', [], ['4'], [0], [4.5], new Int32Array([4])]],
  ['implementation', ONE_OF, ['fast', 'FUSED', '', 1, true]],
];

const WRONG_VALUES = VALUES.flatMap(([option, rule, values]) =>
  values.map((value) => ({option, value, says: `${option} ${rule}, got ${show(value)}`})),
);

test.each(WRONG_VALUES)('$option: $value is refused', ({option, value, says}) => {
  expectRefusal(withConfig({windowSize: 4, [option]: value}), `[localAttention] ${says}.`);
});

test.each([null, undefined])('windowSize: %s is refused, since it has no default', (windowSize) => {
  const says = `[localAttention] windowSize is required, got ${windowSize}.`;
  expectRefusal(withConfig({windowSize}), says);
  expectRefusal(withConfig({}), '[localAttention] windowSize is required, got undefined.');
});

class Options {
  readonly windowSize = 4;
}

test.each([
  ['undefined', undefined, 'undefined'],
  ['null', null, 'null'],
  ['a number', 4, '4'],
  ['a string', 'windowSize', "'windowSize'"],
  ['an array', [4], '[4]'],
  ['a function', Math.max, 'the function max'],
  ['a map', new Map([['windowSize', 4]]), 'an instance of Map'],
  ['an instance, whose inherited options would be missed', new Options(), 'an instance of Options'],
  ['an object that inherits its options', Object.create({windowSize: 4}), '{}'],
])('a config that is %s is refused', (_, config, shown) => {
  const rule = 'options must be a plain object such as {windowSize: …}';
  expectRefusal(withConfig(config), `[localAttention] ${rule}, got ${shown}.`);
});

test('a config without prototype is judged like any other', () => {
  const says = `[localAttention] windowSize ${SIZE}, got -1.`;
  expectRefusal(withConfig(Object.assign(Object.create(null), {windowSize: -1})), says);
});

test('a getter is asked once, so that what was checked is what is used', () => {
  let asked = 0;
  const fickle = {
    get windowSize() {
      return asked++ === 0 ? -4 : 4;
    },
  };
  expectRefusal(withConfig(fickle), `[localAttention] windowSize ${SIZE}, got -4.`);
  expect(asked).toBe(1);
});

test.each([
  ['lookBackwards', 'lookBackward'],
  ['windowsize', 'windowSize'],
  ['window_size', 'windowSize'],
  ['look_backward', 'lookBackward'],
  ['look_forward', 'lookForward'],
  ['shared_qk', 'sharedQk'],
  ['rel_pos_emb_config', 'relPosEmbConfig'],
  ['exact_windowsize', 'exactWindowsize'],
  ['use_rotary_pos_emb', 'useRotaryPosEmb'],
  ['use_xpos', 'useXpos'],
  ['xpos_scale_base', 'xposScaleBase'],
  ['casual', 'causal'],
  ['window', 'windowSize'],
  ['attnDropout', 'dropout'],
])('%s is refused, and %s suggested', (name, meant) => {
  const says = `[localAttention] unknown option '${name}' (did you mean '${meant}'?).`;
  expectRefusal(withConfig({windowSize: 4, [name]: 1}), says);
});

test.each(['temperature', 'mask', '__proto__', 'constructor'])(
  '%s is refused, and all known names are listed',
  (name) => {
    const config = JSON.parse(`{"windowSize": 4, "${name}": 1}`);
    const start = `unknown option '${name}' \\(known are windowSize, causal, lookBackward,`;
    expectRefusal(
      withConfig(config),
      new RegExp(`^\\[localAttention\\] ${start}.* implementation`),
    );
  },
);

test.each<[string, Record<string, unknown>, string]>([
  [
    'causal with lookForward',
    {causal: true, lookForward: 1},
    'lookForward must be 0 when causal is true, got 1',
  ],
  [
    'a context that cannot be counted',
    {lookBackward: 2 ** 24},
    '(1 + lookBackward + lookForward) · windowSize must be at most 16777216 tokens, got 67108872',
  ],
  [
    'a dim that is not the input’s',
    {dim: 8},
    'the last axis of q and k must be dim 8 (or leave dim out), got 4',
  ],
  [
    'an odd dim with rotary',
    {dim: 5},
    'head size must be even for rotary embedding (or set useRotaryPosEmb: false), got 5',
  ],
  [
    'relPosEmbConfig against dim',
    {relPosEmbConfig: [4, 2], dim: 8},
    'dim and relPosEmbConfig[0] must agree, got 8 and 4; use dim alone',
  ],
  [
    'relPosEmbConfig beside another mistake, without its warning',
    {relPosEmbConfig: [4], causal: true, lookForward: 1},
    'lookForward must be 0 when causal is true, got 1',
  ],
  [
    'useXpos without rotary',
    {useXpos: true, useRotaryPosEmb: false},
    'useXpos: true needs useRotaryPosEmb: true, got useRotaryPosEmb: false',
  ],
  [
    'useXpos with windowSize 1 and no base',
    {useXpos: true, windowSize: 1},
    'useXpos with windowSize 1 needs xposScaleBase, since the default ⌊windowSize / 2⌋ is 0',
  ],
  [
    'an xposScaleBase whose powers overflow',
    {useXpos: true, xposScaleBase: 1e-3},
    'xposScaleBase must be at least 0.09375 for a context of 12 tokens, or the powers of xpos ' +
      'leave float32, got 0.001',
  ],
])('%s is refused', (_, options, says) => {
  expectRefusal(withConfig({windowSize: 4, ...options}), `[localAttention] ${says}.`);
});

test('a fused kernel asked for by name, where the backend has none, is an error with the reason', async () => {
  class Bare extends tf.KernelBackend {
    override dispose() {}
  }
  tf.registerBackend('bare', () => new Bare());
  const x = tf.ones([1, 8, 4]);
  await tf.setBackend('bare');
  const call = () => localAttention(x, x, x, {windowSize: 4, implementation: 'fused'});
  expect(call).toThrow(
    "[localAttention] no fused kernel is written for 'bare'; use implementation: 'auto' or 'composite'.",
  );
  await useBackend('cpu');
  tf.removeBackend('bare');
  x.dispose();
});
