/** Random configurations against the loops: what no list of cases thought of. */
import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {arbitraryCase} from '../support/arbitrary';
import {BACKENDS, useBackend} from '../support/backends';
import {expectClose, living} from '../support/close';
import {configOf, gradientTolerances, inputsOf, sizesOf, tensorsOf} from '../support/inputs';
import {naiveLocalAttention, naiveLocalAttentionGrad} from '../support/naive';
import {outputTolerance} from '../support/tolerance';

/** Change the seed to look elsewhere; fast-check prints it with what it found. */
const SEED = 20261123;
const RUNS: Record<string, number> = {cpu: 300};

describe.each(BACKENDS)('%s', (backend) => {
  beforeAll(() => useBackend(backend));

  test('any configuration gives the numbers and gradients of the loops', async () => {
    const worst = {output: 0, budget: 0}; // the budget: a part of the tolerance
    const numRuns = RUNS[backend] ?? 100;
    await fc.assert(
      fc.asyncProperty(arbitraryCase(), async (c) => {
        const before = living();
        const values = inputsOf(c);
        const {q, k, v, dout, naive} = values;
        const {inputs, call, dout: dy, dispose} = tensorsOf(c, values);
        const {value, grads} = tf.valueAndGrads((q, k, v, attnBias) =>
          localAttention(q, k, v, configOf(c), {...call, attnBias}),
        )(inputs, dy);

        const out = naiveLocalAttention(q, k, v, c.config, naive);
        const output = await expectClose('out', value, out, outputTolerance(sizesOf(c, values)));
        worst.output = Math.max(worst.output, output);
        const wanted = naiveLocalAttentionGrad(q, k, v, c.config, naive, dout);
        for (const {name, at, want, tolerance} of gradientTolerances(c, values, wanted)) {
          const error = await expectClose(name, grads[at], want, tolerance);
          worst.budget = Math.max(worst.budget, error / tolerance);
        }
        tf.dispose([inputs, grads, dispose, dy, value]);
        expect(living()).toEqual(before);
      }),
      {seed: SEED, numRuns},
    );
    const [out, budget] = [worst.output.toExponential(1), (100 * worst.budget).toFixed(0)];
    console.log(
      `${backend}: ${numRuns} random cases, largest error ${out}; ` +
        `gradients at most ${budget}% of a tolerance`,
    );
  }, 120_000);
});
