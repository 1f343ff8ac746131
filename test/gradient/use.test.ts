/** Gradients as users ask for them: of one input, of variables, of what is long disposed. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {casesNamed} from '../support/cases';
import {expectClose, living} from '../support/close';
import {QUICK, useAnyBuild, useImplementation} from '../support/implementations';
import {inputsOf, tensorsOf} from '../support/inputs';
import {gradientTolerance} from '../support/tolerance';

const [CASE] = casesNamed('shared qk, exact, xpos, biased, masked');

describe.each(QUICK)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  const {implementation} = one;
  const CONFIG = {...CASE.config, implementation};

  /** The inputs of the case, and the gradients when all are asked for at once. */
  function everything() {
    const {inputs, call, dout, dispose} = tensorsOf(CASE, inputsOf(CASE));
    const op = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, attnBias?: tf.Tensor) =>
      localAttention(q, k, v, CONFIG, {...call, attnBias});
    const all = tf.grads(op)(inputs, dout);
    const free = () => tf.dispose([inputs, dout, dispose, all]);
    return {inputs, call, dout, op, all, free};
  }

  test.each(['q', 'k', 'v', 'attnBias'].map((name, i) => [name, i] as const))(
    'the gradient by %s alone is the one among all',
    async (_, i) => {
      const before = living();
      const {inputs, dout, op, all, free} = everything();
      const one = tf.grad((x) => {
        const args = inputs.map((y, at) => (at === i ? x : y));
        return op(...(args as [tf.Tensor, tf.Tensor, tf.Tensor]));
      })(inputs[i], dout);
      expect(await one.data()).toEqual(await all[i].data());
      one.dispose();
      free();
      expect(living()).toEqual(before);
    },
  );

  test('one tensor as q, k and v has the sum of their gradients', async () => {
    const {inputs, free} = everything();
    const config = {windowSize: 4, causal: true, implementation};
    const op = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => localAttention(q, k, v, config);
    const [x] = inputs;
    const gradient = tf.grad((x) => op(x, x, x))(x);
    const sum = tf.addN(tf.grads(op)([x, tf.clone(x), tf.clone(x)]));
    const want = {shape: sum.shape, data: await sum.data()};
    const sizes = {d: x.shape[3]!, context: 8, largestScore: 0};
    await expectClose('gradient', gradient, want, gradientTolerance(sizes));
    free();
  });

  test('variableGrads gives the same numbers to variables', async () => {
    const {inputs, call, dout, all, free} = everything();
    const [q, k, v, attnBias] = inputs.map((x) => tf.variable(x));
    const {grads} = tf.variableGrads(() =>
      tf.sum(tf.mul(localAttention(q, k, v, CONFIG, {...call, attnBias}), dout)),
    );
    for (const [i, x] of [q, k, v, attnBias].entries()) {
      expect(await grads[x.name].data()).toEqual(await all[i].data());
    }
    tf.dispose([q, k, v, attnBias, grads]);
    free();
  });

  test('an optimizer finds the values that give a wanted output, and leaks nothing', async () => {
    const {inputs, call, free} = everything();
    const [q, k, x] = inputs;
    const wanted = localAttention(q, k, x, CONFIG, call);
    const v = tf.variable(tf.zerosLike(x));
    const optimizer = tf.train.sgd(50);
    const loss = () => tf.losses.meanSquaredError(wanted, localAttention(q, k, v, CONFIG, call)) as tf.Scalar; // prettier-ignore
    const step = async () => {
      const cost = optimizer.minimize(loss, true, [v])!;
      const [value] = await cost.data();
      cost.dispose();
      return value;
    };
    const first = await step();
    const before = living();
    let last = first;
    for (let i = 0; i < 9; i++) last = await step();
    expect(living()).toEqual(before);
    expect(last).toBeLessThan(first / 2);
    tf.dispose([wanted, v]);
    optimizer.dispose();
    free();
  });

  test('k, v, bias and mask may be gone before the gradient is asked for', async () => {
    const before = living();
    const {inputs, call, dout, all, free} = everything();
    const gradient = tf.grad((q) =>
      tf.tidy(() => {
        const [k, v, attnBias] = inputs.slice(1).map((x) => tf.clone(x));
        const mask = tf.clone(call.mask!);
        return localAttention(q, k, v, CONFIG, {...call, attnBias, mask});
      }),
    )(inputs[0], dout);
    expect(await gradient.data()).toEqual(await all[0].data());
    gradient.dispose();
    free();
    expect(living()).toEqual(before);
  });
});
