/** naive.ts (float64 loops) -> the composite, value and every gradient, on every backend. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {BACKENDS, useBackend} from '../support/backends';
import {CASES, Case} from '../support/cases';
import {expectClose, living} from '../support/close';
import {configOf, gradientTolerances, inputsOf, sizesOf, tensorsOf} from '../support/inputs';
import {NaiveGrads, Values, naiveLocalAttention, naiveLocalAttentionGrad} from '../support/naive';
import {outputTolerance} from '../support/tolerance';

describe.each(BACKENDS)('%s', (backend) => {
  beforeAll(() => useBackend(backend));

  const worst = {output: 0, gradient: 0, budget: 0};
  afterAll(() => {
    const [out, grad] = [worst.output.toExponential(1), worst.gradient.toExponential(1)];
    const budget = (100 * worst.budget).toFixed(0);
    console.log(
      `${backend}: ${CASES.length} cases, largest error ${out}, of gradients ${grad}; ` +
        `at most ${budget}% of a tolerance`,
    );
  });

  test.each(CASES.map((c) => [c.name, c] as const))(
    'the composite gives the numbers and gradients of the loops: %s',
    async (_, c) => {
      const before = living();
      const values = inputsOf(c);
      const {out, grads: wanted} = reference(c);
      const {inputs, call, dout, dispose} = tensorsOf(c, values);
      const {value, grads} = tf.valueAndGrads((q, k, v, attnBias) =>
        localAttention(q, k, v, {...configOf(c), implementation: 'composite'}, {...call, attnBias}),
      )(inputs, dout);

      const output = await compare('out', value, out, outputTolerance(sizesOf(c, values)));
      worst.output = Math.max(worst.output, output);
      for (const {name, at, want, tolerance} of gradientTolerances(c, values, wanted)) {
        const error = await compare(name, grads[at], want, tolerance);
        worst.gradient = Math.max(worst.gradient, error);
      }
      tf.dispose([...inputs, ...grads, ...dispose, dout, value]);
      expect(living()).toEqual(before);
    },
  );

  /** Close, and exactly 0 where the reference is: what nobody sees, and what sees nobody. */
  async function compare(name: string, got: tf.Tensor, want: Values, tolerance: number) {
    const error = await expectClose(name, got, want, tolerance);
    worst.budget = Math.max(worst.budget, error / tolerance);
    const values = await got.data();
    const astray = values.findIndex((value, at) => want.data[at] === 0 && value !== 0);
    if (astray >= 0) throw new Error(`${name} is ${values[astray]} at ${astray} instead of 0`);
    return error;
  }
});

const references = new Map<string, {out: Values; grads: NaiveGrads}>();

/** The loops' answer, computed once for all backends. */
function reference(c: Case): {out: Values; grads: NaiveGrads} {
  const found = references.get(c.name);
  if (found) return found;
  const {q, k, v, dout, naive} = inputsOf(c);
  const answer = {
    out: naiveLocalAttention(q, k, v, c.config, naive),
    grads: naiveLocalAttentionGrad(q, k, v, c.config, naive, dout),
  };
  references.set(c.name, answer);
  return answer;
}
