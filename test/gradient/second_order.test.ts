/** Gradients of gradients, against central differences of the reference's first gradient. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {useBackend} from '../support/backends';
import {Case} from '../support/cases';
import {expectClose, living} from '../support/close';
import {COMPOSITES, sampled, useAnyBuild, useImplementation} from '../support/implementations';
import {configOf, geometry, inputsOf, tensorsOf} from '../support/inputs';
import {Values, naiveLocalAttentionGrad} from '../support/naive';
import {centralDifferences, gradientTolerance} from '../support/tolerance';

const SHAPE = [1, 2, 8, 2];
const SPARSE = (row: number, token: number) => (row + token) % 3 > 0;

const CASES: Case[] = [
  {name: 'bidirectional', config: {windowSize: 4}, shape: SHAPE, dv: 3},
  {name: 'causal, exact', config: {windowSize: 2, causal: true, exactWindowsize: true}, shape: SHAPE}, // prettier-ignore
  {name: 'autopad', config: {windowSize: 3, autopad: true}, shape: SHAPE},
  {name: 'bias by head', config: {windowSize: 4, causal: true}, shape: SHAPE, bias: {heads: 2}},
  {name: 'a bias with holes, masked', config: {windowSize: 2}, shape: SHAPE, mask: {batch: 1, keeps: SPARSE}, bias: {heads: null, blind: (row, slot) => row === slot}}, // prettier-ignore
  {name: 'queries that see nothing', config: {windowSize: 2, lookBackward: 0, lookForward: 0}, shape: SHAPE, mask: {batch: 1, keeps: (_, token) => token > 3}}, // prettier-ignore
  {name: 'shared qk', config: {windowSize: 4, sharedQk: true}, shape: SHAPE},
  {name: 'xpos', config: {windowSize: 4, useXpos: true, causal: true}, shape: SHAPE},
  {name: 'dropout', config: {windowSize: 4}, shape: SHAPE, dropout: {rate: 0.3, seed: 5}},
  {name: 'no rotary, look forward 2', config: {windowSize: 2, lookForward: 2, useRotaryPosEmb: false}, shape: SHAPE}, // prettier-ignore
];

/** Central differences in float64, of sums over some hundred numbers. */
const {step: STEP} = centralDifferences(100 * Number.EPSILON);

describe.each(COMPOSITES)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);

  test.each(sampled(one, CASES, 2).map((c) => [c.name, c] as const))(
    'the gradient of a penalty on all gradients is right for each input: %s',
    async (_, c) => {
      const before = living();
      const values = inputsOf(c);
      const {inputs, call, dout, dispose} = tensorsOf(c, values);
      const op = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, attnBias?: tf.Tensor) =>
        localAttention(
          q,
          k,
          v,
          {...configOf(c), implementation: one.implementation},
          {...call, attnBias},
        );
      const penalty = (...x: tf.Tensor[]) =>
        tf.tidy(() => {
          const grads = tf.grads(op)(x.slice(0, -1), x[x.length - 1]);
          return tf.addN(grads.map((g) => tf.sum(tf.square(g)))) as tf.Scalar;
        });
      const got = tf.grads(penalty)([...inputs, dout]);

      const wanted = reference(c);
      // a product of two gradients, each with its own error, of scores within ±2
      const sizes = {d: 2, context: geometry(c).context, largestScore: 2};
      expect(got.length).toBe(wanted.length);
      for (const [i, want] of wanted.entries()) {
        await expectClose(`gradient ${i}`, got[i], want, 2 * gradientTolerance(sizes));
      }
      tf.dispose([inputs, dout, dispose, got]);
      expect(living()).toEqual(before);
    },
  );
});

test('keys of zero length are no trouble, of no order: shared qk', async () => {
  await useBackend('cpu');
  const [q, k, v] = [tf.ones([4, 2]), tf.zeros([4, 2]), tf.linspace(0, 1, 4).reshape([4, 1])];
  const op = (k: tf.Tensor) =>
    localAttention(q, k, v, {windowSize: 2, sharedQk: true, implementation: 'composite'});
  const first = await tf.grad(op)(k).data();
  const second = await tf
    .grad((x) => tf.sum(tf.square(tf.grad(op)(x))))(k)
    .data();
  expect([...first, ...second].filter(Number.isNaN)).toEqual([]);
});

const references = new Map<string, Values[]>();

/** The penalty's gradient by q, k, v, the bias and dout, computed once for all backends. */
function reference(c: Case): Values[] {
  const found = references.get(c.name);
  if (found) return found;
  const {q, k, v, dout, naive} = inputsOf(c);
  const penalty = () => {
    const {dq, dk, dv, dAttnBias} = naiveLocalAttentionGrad(q, k, v, c.config, naive, dout);
    const all = [dq, dk, dv, ...(dAttnBias ? [dAttnBias] : [])];
    return all.reduce((sum, {data}) => sum + data.reduce((s, x) => s + x * x, 0), 0);
  };
  const inputs = [q, k, v, ...(naive.attnBias ? [naive.attnBias] : []), dout];
  const answer = inputs.map((x) => differences(x, penalty));
  references.set(c.name, answer);
  return answer;
}

/** d loss / dx by central differences; `loss` reads x as it stands. */
function differences({shape, data}: Values, loss: () => number): Values {
  const x = data as Float64Array;
  const slopes = Array.from(x, (value, i) => {
    if (!Number.isFinite(value)) return 0;
    x[i] = value + STEP;
    const above = loss();
    x[i] = value - STEP;
    const slope = (above - loss()) / (2 * STEP);
    x[i] = value;
    return slope;
  });
  return {shape, data: slopes};
}
