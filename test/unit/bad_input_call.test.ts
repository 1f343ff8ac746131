/** What localAttention says about wrong call options, and that it has done nothing yet. */
import {LocalAttentionArgs, LocalAttentionCall, localAttention} from '../../src';
import {show} from '../../src/check/errors';
import {useBackend} from '../support/backends';
import {BadCall, Given, expectRefusal} from '../support/refusals';

beforeAll(() => useBackend('cpu'));

type Options = Record<string, unknown>;

/** Good tensors, [2, 3, 8, 4], and a window of 4, with these options of the call. */
function withCall(make: (given: Given) => unknown, config: Options = {}): BadCall {
  return (given) => {
    const [q, k, v] = [0, 1, 2].map(() => given.f32(2, 3, 8, 4));
    const options: LocalAttentionArgs = {windowSize: 4, ...config};
    return localAttention(q, k, v, options, make(given) as LocalAttentionCall);
  };
}

const WHOLE = 'windowSize of the call must be a whole number from 1 to 16777216';
const SEED = 'seed must be a whole number from 0 to 4294967295';
const FLAG = 'training must be true or false';

const VALUES: [string, string, unknown[]][] = [
  ['windowSize', WHOLE, [0, -2, 2.5, NaN, Infinity, 1e30, '2', true]],
  ['seed', SEED, [-1, 0.5, NaN, Infinity, 2 ** 32, '1', true]],
  ['training', FLAG, ['yes', 'false', 1, 0]],
  ['mask', 'mask must be a tf.Tensor of bool', [true, [[true]], new Uint8Array(2), 'all']],
  ['inputMask', 'mask must be a tf.Tensor of bool', [false, [[true]]]],
  ['attnBias', 'attnBias must be a tf.Tensor of float32', [0, [[0]], new Float32Array(2)]],
];

const WRONG_VALUES = VALUES.flatMap(([option, rule, values]) =>
  values.map((value) => ({option, value, says: `${rule}, got ${show(value)}`})),
);

test.each(WRONG_VALUES)('$option: $value is refused', ({option, value, says}) => {
  const call = withCall(() => ({[option]: value}), {useXpos: true});
  expectRefusal(call, `[localAttention] ${says}.`);
});

const PLAIN = 'options must be a plain object such as {mask: …}, got';
const MASK = 'mask must have the shape [B, n] with n 8, got a bool tensor of shape';
const ROWS = 'the first axis of mask must divide the product of the leading axes, 6, got';
const BIAS = 'attnBias must have the shape [h, 4, 12] or [4, 12] (window × context), got';
const HEADS = 'the heads of attnBias must divide the product of the leading axes, 6, got';
const ALIVE = 'must not be disposed (tf.keep or tf.clone keeps one), got';

type Row = [string, (given: Given) => unknown, string];

const CALLS: Row[] = [
  ['null', () => null, `${PLAIN} null`],
  ['an array', () => [], `${PLAIN} []`],
  ['a mask itself', (g) => g.bool(2, 8), `${PLAIN} a bool tensor of shape [2, 8]`],
  ['a misspelt option', () => ({masks: 1}), "unknown option 'masks' (did you mean 'mask'?)"],
  [
    'an option in snake case',
    (g) => ({input_mask: g.bool(2, 8)}),
    "unknown option 'input_mask' (did you mean 'inputMask'?)",
  ],
  [
    'an option cut short',
    (g) => ({bias: g.f32(4, 12)}),
    "unknown option 'bias' (did you mean 'attnBias'?)",
  ],
  [
    'an option of the config',
    () => ({causal: true}),
    "unknown option 'causal' (known are mask, inputMask, attnBias, windowSize, training, seed)",
  ],
  [
    'mask and inputMask at once',
    (g) => ({mask: g.bool(2, 8), inputMask: g.bool(2, 8)}),
    'mask and inputMask are two names of one option, got both; pass mask alone',
  ],
  [
    'windowSize without xpos',
    () => ({windowSize: 2}),
    'windowSize of the call needs useXpos: true (without xpos, set it in the config), got 2',
  ],
];

const MASKS = (['int32', 'float32'] as const).map((dtype): Row => [
  `an ${dtype} mask`,
  (g) => ({mask: g.of(dtype, 2, 8)}),
  `mask must be bool (tf.cast(mask, 'bool') makes it so), got ${dtype === 'int32' ? 'an' : 'a'} ${dtype} tensor of shape [2, 8]`,
]);

const TENSORS: Row[] = [
  ['a mask of rank 1', (g) => ({mask: g.bool(8)}), `${MASK} [8]`],
  ['a mask [B, h, n]', (g) => ({mask: g.bool(2, 3, 8)}), `${MASK} [2, 3, 8]`],
  ['a mask of another length', (g) => ({mask: g.bool(2, 12)}), `${MASK} [2, 12]`],
  ['an inputMask of another length', (g) => ({inputMask: g.bool(2, 4)}), `${MASK} [2, 4]`],
  ['a mask of 4 rows', (g) => ({mask: g.bool(4, 8)}), `${ROWS} a bool tensor of shape [4, 8]`],
  ['a mask of no rows', (g) => ({mask: g.bool(0, 8)}), `${ROWS} a bool tensor of shape [0, 8]`],
  [
    'a disposed mask',
    (g) => ({mask: g.gone(g.bool(2, 8))}),
    `mask ${ALIVE} a bool tensor of shape [2, 8]`,
  ],
  [
    'a disposed attnBias',
    (g) => ({attnBias: g.gone(g.f32(4, 12))}),
    `attnBias ${ALIVE} a float32 tensor of shape [4, 12]`,
  ],
  [
    'a bool attnBias',
    (g) => ({attnBias: g.bool(4, 12)}),
    "attnBias must be float32 (tf.cast(attnBias, 'float32') makes it so), got a bool tensor of " +
      'shape [4, 12]',
  ],
  [
    'an attnBias of rank 1',
    (g) => ({attnBias: g.f32(12)}),
    `${BIAS} a float32 tensor of shape [12]`,
  ],
  [
    'an attnBias of rank 4',
    (g) => ({attnBias: g.f32(1, 1, 4, 12)}),
    `${BIAS} a float32 tensor of shape [1, 1, 4, 12]`,
  ],
  [
    'an attnBias [n, n]',
    (g) => ({attnBias: g.f32(8, 8)}),
    `${BIAS} a float32 tensor of shape [8, 8]`,
  ],
  [
    'an attnBias of another context',
    (g) => ({attnBias: g.f32(3, 4, 8)}),
    `${BIAS} a float32 tensor of shape [3, 4, 8]`,
  ],
  [
    'an attnBias of 4 heads',
    (g) => ({attnBias: g.f32(4, 4, 12)}),
    `${HEADS} a float32 tensor of shape [4, 4, 12]`,
  ],
  [
    'an attnBias of no heads',
    (g) => ({attnBias: g.f32(0, 4, 12)}),
    `${HEADS} a float32 tensor of shape [0, 4, 12]`,
  ],
];

test.each([...CALLS, ...MASKS, ...TENSORS])('call: %s is refused', (_, make, says) => {
  expectRefusal(withCall(make), `[localAttention] ${says}.`);
});

test.each<[string, (given: Given) => Options, string]>([
  [
    'does not divide the sequence',
    () => ({windowSize: 3}),
    'sequence length must be a multiple of windowSize 3 (or set autopad: true), got 8',
  ],
  [
    'lets the powers of xpos overflow',
    () => ({windowSize: 1000}),
    'xposScaleBase must be at least 23.4375 for a context of 3000 tokens, or the powers of xpos ' +
      'leave float32, got 2',
  ],
  [
    'is not the window of the bias',
    (g) => ({windowSize: 2, attnBias: g.f32(4, 12)}),
    'attnBias must have the shape [h, 2, 6] or [2, 6] (window × context), got a float32 tensor ' +
      'of shape [4, 12]',
  ],
])('a windowSize of the call that %s is refused', (_, make, says) => {
  expectRefusal(withCall(make, {useXpos: true}), `[localAttention] ${says}.`);
});
