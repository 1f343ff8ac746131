/** Random configurations against the naive loops, on every fused kernel; CASES=10000 tries more. */
import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {arbitraryCase} from '../support/arbitrary';
import {expectClose, living} from '../support/close';
import {configOf, gradientTolerances, inputsOf, sizesOf, tensorsOf} from '../support/inputs';
import {naiveLocalAttention, naiveLocalAttentionGrad} from '../support/naive';
import {PROGRAMS, useAnyProgram, useProgram} from '../support/programs';
import {outputTolerance} from '../support/tolerance';

/** Change the seed to look elsewhere; fast-check prints it with what it found. */
const SEED = Number(process.env.SEED ?? 20261123);
const CASES = Number(process.env.CASES ?? 200);

jest.setTimeout(5000 + 100 * CASES);

describe.each(PROGRAMS.map((program) => [program.name, program] as const))(
  '%s',
  (name, program) => {
    beforeAll(() => useProgram(program));
    afterAll(useAnyProgram);

    test('any configuration gives the numbers and gradients of the loops', async () => {
      const worst = {output: 0, budget: 0}; // the budget: a part of the tolerance
      await fc.assert(
        fc.asyncProperty(arbitraryCase(), async (c) => {
          const before = living();
          const values = inputsOf(c);
          const {q, k, v, dout, naive} = values;
          const {inputs, call, dout: dy, dispose} = tensorsOf(c, values);
          const config = {...configOf(c), implementation: 'fused'} as const;
          const {value, grads} = tf.valueAndGrads((q, k, v, attnBias) =>
            localAttention(q, k, v, config, {...call, attnBias}),
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
        {seed: SEED, numRuns: CASES},
      );
      const [out, budget] = [worst.output.toExponential(1), (100 * worst.budget).toFixed(0)];
      console.log(
        `${name}: ${CASES} random cases, largest error ${out}; ` +
          `gradients at most ${budget}% of a tolerance`,
      );
    });
  },
);
