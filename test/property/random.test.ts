/** Random configurations against the loops: what no list of cases thought of. */
import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';

import {Implementation, localAttention} from '../../src';
import {arbitraryCase} from '../support/arbitrary';
import {Case} from '../support/cases';
import {expectClose, living, relativeError} from '../support/close';
import {IMPLEMENTATIONS, useAnyBuild, useImplementation} from '../support/implementations';
import {configOf, tensorsOf} from '../support/inputs';
import {truthOf} from '../support/truth';

/** Change the seed to look elsewhere; fast-check prints it with what it found. */
const SEED = Number(process.env.SEED ?? 20261123);
/** More of them: CASES=10000. */
const CASES = Number(process.env.CASES ?? 300);

jest.setTimeout(10_000 + 100 * CASES);

describe.each(IMPLEMENTATIONS)('%s', (name, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);

  test('any configuration gives the numbers and gradients of the loops', async () => {
    const worst = {output: 0, gradient: 0, budget: 0}; // the budget: a part of the tolerance
    const check = async (c: Case) => {
      const before = living();
      const {values, wanted} = truthOf(c);
      const given = tensorsOf(c, values);
      const results = run(c, given, one.implementation);
      const composed = one.implementation === 'fused' ? run(c, given, 'composite') : null;
      for (const [at, {name, want, tolerance}] of wanted.entries()) {
        const apart = composed ? 2 * (await relativeError(composed[at], want)) : 0;
        const error = await expectClose(name, results[at], want, apart + tolerance);
        const kind = name === 'out' ? 'output' : 'gradient';
        worst[kind] = Math.max(worst[kind], error);
        if (error > 0) worst.budget = Math.max(worst.budget, error / (apart + tolerance));
      }
      tf.dispose([given.inputs, given.dispose, given.dout, results, composed ?? []]);
      expect(living()).toEqual(before);
    };
    await fc.assert(fc.asyncProperty(arbitraryCase(), check), {seed: SEED, numRuns: CASES});
    const [out, grad] = [worst.output.toExponential(1), worst.gradient.toExponential(1)];
    console.log(
      `${name}: ${CASES} random cases, largest error ${out}, of gradients ${grad}; ` +
        `at most ${(100 * worst.budget).toFixed(0)}% of a tolerance`,
    );
  });
});

/** The output, and the gradients in the order of the inputs. */
function run(c: Case, given: ReturnType<typeof tensorsOf>, implementation: Implementation) {
  const config = {...configOf(c), implementation};
  const {value, grads} = tf.valueAndGrads((q, k, v, attnBias) =>
    localAttention(q, k, v, config, {...given.call, attnBias}),
  )(given.inputs, given.dout);
  return [value, ...grads];
}
