/** What the functions of rotary say about wrong arguments. */
import * as tf from '@tensorflow/tfjs';

import {RotaryAngles, rotary} from '../../src';
import {show} from '../../src/check/errors';
import {useBackend} from '../support/backends';
import {Given, expectRefusal} from '../support/refusals';

beforeAll(() => useBackend('cpu'));

const COUNT = (least: number) => `must be a whole number from ${least} to 16777216`;
const FINITE = 'must be a finite number';
const FLAG = 'must be true or false';

type Call = (value: unknown) => unknown;
const TABLES: [string, string, Call, string, unknown[]][] = [
  ['angles', 'length', (x) => rotary.angles(x as never, 4), COUNT(0), [-1, 2.5, NaN, 1e30, '8']],
  ['angles', 'dim', (x) => rotary.angles(8, x as never), COUNT(2), [0, 1, 2.5, Infinity, '4']],
  ['angles', 'dim', (x) => rotary.angles(8, x as never), 'must be even', [3, 65]],
  [
    'angles',
    'theta',
    (theta) => rotary.angles(8, 4, {theta} as never),
    `${FINITE}, at least 0.000001`,
    [0, -1, 5e-324, NaN, Infinity, '1e4', true],
  ],
  [
    'angles',
    'offset',
    (offset) => rotary.angles(8, 4, {offset} as never),
    COUNT(-16777216),
    [0.5, NaN, -Infinity, 2 ** 25, '1', true],
  ],
  [
    'xposScale',
    'length',
    (x) => rotary.xposScale(x as never, 4, {scaleBase: 2}),
    COUNT(0),
    [-1, '8'],
  ],
  ['xposScale', 'dim', (x) => rotary.xposScale(8, x as never, {scaleBase: 2}), COUNT(2), [0, '4']],
  [
    'xposScale',
    'scaleBase',
    (scaleBase) => rotary.xposScale(8, 4, {scaleBase} as never),
    `${FINITE}, greater than 0`,
    [0, -1, NaN, Infinity, '2'],
  ],
  [
    'xposScale',
    'inverse',
    (inverse) => rotary.xposScale(8, 4, {scaleBase: 2, inverse} as never),
    FLAG,
    [1, 'true'],
  ],
];

const WRONG_VALUES = TABLES.flatMap(([name, argument, call, rule, values]) =>
  values.map((value) => ({name, argument, call, value, says: `${rule}, got ${show(value)}`})),
);

test.each(WRONG_VALUES)('rotary.$name, $argument: $value is refused', (row) => {
  const {name, argument, call, value, says} = row;
  expectRefusal(() => call(value), `[rotary.${name}] ${argument} ${says}.`);
});

const {angles, apply, xposScale} = rotary;

test.each<[string, () => unknown, string]>([
  [
    'options null',
    () => angles(8, 4, null as never),
    'angles] options must be a plain object such as {theta: …}, got null',
  ],
  [
    'options a number, as an offset',
    () => angles(8, 4, 3 as never),
    'angles] options must be a plain object such as {theta: …}, got 3',
  ],
  [
    'an unknown option of angles',
    () => angles(8, 4, {thetas: 1} as never),
    "angles] unknown option 'thetas' (did you mean 'theta'?)",
  ],
  [
    'a table beyond all memory',
    () => angles(2 ** 24, 2 ** 24),
    'angles] length · dim / 2 must be at most 1073741824, the elements of 4 GiB, got 140737488355328',
  ],
  [
    'xposScale without options',
    () => xposScale(8, 4, undefined as never),
    'xposScale] options must be a plain object such as {scaleBase: …}, got undefined',
  ],
  [
    'xposScale without scaleBase',
    () => xposScale(8, 4, {} as never),
    'xposScale] scaleBase is required, got undefined',
  ],
  [
    'scale_base',
    () => xposScale(8, 4, {scale_base: 2} as never),
    "xposScale] unknown option 'scale_base' (did you mean 'scaleBase'?)",
  ],
  [
    'powers of xpos beyond float32',
    () => xposScale(1024, 4, {scaleBase: 4}),
    'xposScale] scaleBase must be at least 8 for a context of 1024 tokens, or the powers of xpos ' +
      'leave float32, got 4',
  ],
])('%s: refused', (_, call, says) => {
  expectRefusal(call, `[rotary.${says}.`);
});

const X = 'x must be';
const TABLE = (name: string) => `${name} must have the shape [n, d / 2] = [8, 2], got`;
const ALIVE = 'must not be disposed (tf.keep or tf.clone keeps one), got a float32 tensor of shape';
const PLAIN = 'options must be a plain object such as {scale: …}, got';

type Arguments = {x?: unknown; cos?: unknown; sin?: unknown; angles?: unknown; options?: unknown};

test.each<[string, (given: Given) => Arguments, string]>([
  ['x an array', () => ({x: [[1, 2]]}), `${X} a tf.Tensor of float32, got [[1, 2]]`],
  [
    'x int32',
    (g) => ({x: g.of('int32', 8, 4)}),
    `${X} float32 (tf.cast(x, 'float32') makes it so), got an int32 tensor of shape [8, 4]`,
  ],
  ['x disposed', (g) => ({x: g.gone(g.f32(8, 4))}), `x ${ALIVE} [8, 4]`],
  [
    'x symbolic',
    () => ({x: tf.input({shape: [8, 4]})}),
    'x must not be symbolic (symbolic tensors are for layers), got a float32 tensor of shape ' +
      '[null, 8, 4]',
  ],
  [
    'x of rank 1',
    (g) => ({x: g.f32(4)}),
    'x must have the shape [..., n, d], got a float32 tensor of shape [4]',
  ],
  ['x of odd size', (g) => ({x: g.f32(8, 5)}), 'the last axis of x must be even, got 5'],
  [
    'no angles',
    () => ({angles: null}),
    'angles must be what rotary.angles(n, d) returns, got null',
  ],
  [
    'angles without sin',
    () => ({sin: null}),
    'angles.sin must be a tf.Tensor of float32, got null',
  ],
  ['angles of another length', (g) => ({cos: g.f32(7, 2)}), `${TABLE('angles.cos')} [7, 2]`],
  ['angles of the whole size', (g) => ({sin: g.f32(8, 4)}), `${TABLE('angles.sin')} [8, 4]`],
  ['angles of rank 3', (g) => ({cos: g.f32(1, 8, 2)}), `${TABLE('angles.cos')} [1, 8, 2]`],
  ['disposed angles', (g) => ({sin: g.gone(g.f32(8, 2))}), `angles.sin ${ALIVE} [8, 2]`],
  [
    'a scale of another length',
    (g) => ({options: {scale: g.f32(4, 2)}}),
    `${TABLE('scale')} [4, 2]`,
  ],
  [
    'a scale that is a number',
    () => ({options: {scale: 2}}),
    'scale must be a tf.Tensor of float32, got 2',
  ],
  ['a scale of 0', () => ({options: {scale: 0}}), 'scale must be a tf.Tensor of float32, got 0'],
  [
    'a scale in the place of options',
    (g) => ({options: g.f32(8, 2)}),
    `${PLAIN} a float32 tensor of shape [8, 2]`,
  ],
  ['options null', () => ({options: null}), `${PLAIN} null`],
  [
    'an unknown option',
    () => ({options: {offset: 1}}),
    "unknown option 'offset' (known are scale)",
  ],
])('rotary.apply: %s is refused', (_, make, says) => {
  expectRefusal((given) => {
    const made = make(given);
    const table = (name: 'cos' | 'sin') => (name in made ? made[name] : given.f32(8, 2));
    const x = 'x' in made ? made.x : given.f32(2, 8, 4);
    const tables = 'angles' in made ? made.angles : {cos: table('cos'), sin: table('sin')};
    const options = 'options' in made ? made.options : {};
    return apply(x as tf.Tensor, tables as RotaryAngles, options as object);
  }, `[rotary.apply] ${says}.`);
});
