/** The closed form against autodiff of the same forward, and against differences of the op. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {Sequences, attend, tablesOf} from '../../src/attention/composite';
import {attendGradient} from '../../src/attention/composite_gradient';
import {resolveConfig} from '../../src/attention/config';
import {Problem, problemOf} from '../../src/attention/problem';
import {useBackend} from '../support/backends';
import {CASES, casesNamed} from '../support/cases';
import {expectClose, tensor} from '../support/close';
import {configOf, generator, inputsOf, sizesOf, tensorsOf, uniform} from '../support/inputs';
import {gradientTolerance} from '../support/tolerance';

beforeAll(() => useBackend('cpu'));

/** What attend takes has whole windows, and tokens at all. */
const WHOLE = CASES.filter(({config, shape, windowSize = config.windowSize}) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return size > 0 && shape[shape.length - 2] % windowSize === 0;
});

test.each(WHOLE.map((c) => [c.name, c] as const))(
  'the closed form is what autodiff makes of the forward: %s',
  async (_, c) => {
    tf.engine().startScope();
    const values = inputsOf(c);
    const {inputs, call, dout} = tensorsOf(c, values);
    const [q, k, v, attnBias = null] = inputs;
    const config = resolveConfig('test', configOf(c));
    const p = problemOf('test', q, k, v, config, {...call, attnBias});
    const {flat, dy} = sequencesOf(inputs, dout, p);
    const tables = tablesOf(p);
    const made = tf.memory().numTensors;

    const autodiff = tf.grads((...x) => attend(named(x), tables, p))(flat, dy);
    const closed = tf.tidy(() => attendGradient(dy, named(flat), tables, p));
    expect(closed.length).toBe(flat.length);
    expect(tf.memory().numTensors).toBe(made + autodiff.length + closed.length);
    for (const [i, want] of autodiff.entries()) {
      const data = {shape: want.shape, data: await want.data()};
      // both are computed in float32
      await expectClose(
        `gradient ${i}`,
        closed[i],
        data,
        2 * gradientTolerance(sizesOf(c, values)),
      );
    }
    tf.engine().endScope();
  },
);

/**
 * Central differences with step h err by h² and by ε / h: the least of both, at h = ε^(1/3), is
 * ε^(2/3), and ten times that for the third derivative of a softmax.
 */
const STEP = (2 ** -23) ** (1 / 3);
const DIFFERENCE_TOLERANCE = 10 * STEP ** 2;

const SMOOTH = casesNamed(
  'exact band, causal',
  'xpos, causal, exact, autopad',
  'shared qk, exact, xpos, biased, masked',
  'look back 1, forward 2',
  'three leading axes',
  'a bias with holes of -Infinity, xpos, masked',
  'dropout 0.3',
  'dropout 0.9, shared qk',
);

test.each(SMOOTH.map((c) => [c.name, c] as const))(
  'the gradient is the slope of the op along random directions: %s',
  async (_, c) => {
    tf.engine().startScope();
    const {inputs, call, dout} = tensorsOf(c, inputsOf(c));
    const op = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, attnBias?: tf.Tensor) =>
      localAttention(q, k, v, configOf(c), {...call, attnBias});
    const upstream = await dout.data();
    const grads = tf.grads(op)(inputs, dout);
    const random = generator(17);
    for (const [at, x] of inputs.entries()) {
      const direction = tensor(uniform(random, x.shape));
      const loss = async (step: number) => {
        const moved = tf.add(x, tf.mul(direction, step));
        const args = inputs.map((y, i) => (i === at ? moved : y));
        const [q, k, v, attnBias] = args;
        const out = await op(q, k, v, attnBias).data<'float32'>();
        return out.reduce((sum, y, i) => sum + y * upstream[i], 0);
      };
      const difference = ((await loss(STEP)) - (await loss(-STEP))) / (2 * STEP);
      const slope = await tf.sum(tf.mul(grads[at], direction)).data();
      // the loss sums as many terms as there are outputs, each with an error of its own
      const scale = Math.sqrt(upstream.length) + Math.abs(slope[0]);
      expect(Math.abs(difference - slope[0]) / scale).toBeLessThan(DIFFERENCE_TOLERANCE);
    }
    tf.engine().endScope();
  },
);

test('a bias for all heads has the sum of the gradients that a bias for each has', async () => {
  const [c] = casesNamed('one bias for all, causal');
  const values = inputsOf(c);
  const {inputs, dout} = tensorsOf(c, values);
  const [q, k, v, shared] = inputs;
  const each = tf.tile(tf.expandDims(shared, 0), [3, 1, 1]);
  const gradient = (bias: tf.Tensor) =>
    tf.grad((attnBias) => localAttention(q, k, v, c.config, {attnBias}))(bias, dout);
  const byHead = gradient(each);
  expect(byHead.shape).toEqual([3, 5, 10]);
  const sum = {shape: [5, 10], data: await tf.sum(byHead, 0).data()};
  await expectClose('dAttnBias', gradient(shared), sum, gradientTolerance(sizesOf(c, values)));
});

/** As the composite takes them: [b, n, c], the queries scaled. */
function sequencesOf([q, k, v, ...bias]: tf.Tensor[], dout: tf.Tensor, p: Problem) {
  const flatten = (x: tf.Tensor) => tf.reshape(x, [p.b, p.n, x.shape[x.rank - 1]]) as tf.Tensor3D;
  return {flat: [flatten(tf.mul(q, p.scale)), flatten(k), flatten(v), ...bias], dy: flatten(dout)};
}

function named(x: tf.Tensor[]): Sequences {
  const [q, k, v, bias = null] = x as tf.Tensor3D[];
  return {q, k, v, bias};
}
