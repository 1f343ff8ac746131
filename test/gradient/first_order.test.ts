/** The gradient against differences of the op itself, by every implementation. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {casesNamed} from '../support/cases';
import {expectClose, tensor} from '../support/close';
import {QUICK, useAnyBuild, useImplementation} from '../support/implementations';
import {configOf, generator, inputsOf, tensorsOf, uniform} from '../support/inputs';
import {EPSILON, centralDifferences} from '../support/tolerance';
import {truthOf} from '../support/truth';

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

const {step: STEP, tolerance: TOLERANCE} = centralDifferences(EPSILON);

describe.each(QUICK)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());
  const {implementation} = one;

  test.each(SMOOTH.map((c) => [c.name, c] as const))(
    'the gradient is the slope of the op along random directions: %s',
    async (_, c) => {
      const {inputs, call, dout} = tensorsOf(c, inputsOf(c));
      const op = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, attnBias?: tf.Tensor) =>
        localAttention(q, k, v, {...configOf(c), implementation}, {...call, attnBias});
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
        expect(Math.abs(difference - slope[0])).toBeLessThan(TOLERANCE * scale);
      }
    },
  );

  test('a bias for all heads has the sum of the gradients that a bias for each has', async () => {
    const [c] = casesNamed('one bias for all, causal');
    const {values, wanted} = truthOf(c);
    const {inputs, dout} = tensorsOf(c, values);
    const [q, k, v, shared] = inputs;
    const config = {...c.config, implementation};
    const gradient = (bias: tf.Tensor) =>
      tf.grad((attnBias) => localAttention(q, k, v, config, {attnBias}))(bias, dout);
    const byHead = gradient(tf.tile(tf.expandDims(shared, 0), [3, 1, 1]));
    expect(byHead.shape).toEqual([3, 5, 10]);
    const sum = {shape: [5, 10], data: await tf.sum(byHead, 0).data()};
    const {tolerance} = wanted.find(({name}) => name === 'dAttnBias')!;
    await expectClose('dAttnBias', gradient(shared), sum, 2 * tolerance); // both are float32
  });
});
