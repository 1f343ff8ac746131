/** Random configurations against the loops: what no list of cases thought of. */
import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';

import {arbitraryCase} from '../support/arbitrary';
import {Case} from '../support/cases';
import {expectClose, living, relativeError} from '../support/close';
import {QUICK, isBesideComposite, useAnyBuild, useImplementation} from '../support/implementations';
import {tensorsOf} from '../support/inputs';
import {run} from '../support/run';
import {SAMPLED} from '../support/sample';
import {truthOf} from '../support/truth';

/** Change the seed to look elsewhere; fast-check prints it with what it found. */
const SEED = Number(process.env.SEED ?? 20261123);
/** More of them: CASES=10000. */
const CASES = Number(process.env.CASES ?? (SAMPLED ? 60 : 300));

jest.setTimeout(60_000 + 300 * CASES);

describe.each(QUICK)('%s', (name, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  const isBeside = isBesideComposite(one);

  test('any configuration gives the numbers and gradients of the loops', async () => {
    // the largest errors as parts of the tolerance, ours and the composite's, and how many of the
    // results are farther away than 2 of its errors and the error of sums allow
    const worst = {ours: 0, composed: 0, results: 0, beyond: 0};
    const check = async (c: Case) => {
      const before = living();
      const {values, wanted} = truthOf(c);
      const given = tensorsOf(c, values);
      const results = run(c, given, one.implementation);
      const composed = isBeside ? run(c, given, 'composite') : null;
      for (const [at, {name, want, sums, tolerance}] of wanted.entries()) {
        const apart = composed ? await relativeError(composed[at], want) : 0;
        const error = await expectClose(name, results[at], want, 2 * apart + tolerance);
        worst.ours = Math.max(worst.ours, error / tolerance || 0);
        worst.composed = Math.max(worst.composed, apart / tolerance || 0);
        worst.results++;
        if (composed && error > 2 * apart + sums) worst.beyond++;
      }
      tf.dispose([given.inputs, given.dispose, given.dout, results, composed ?? []]);
      expect(living()).toEqual(before);
    };
    await fc.assert(fc.asyncProperty(arbitraryCase(), check), {seed: SEED, numRuns: CASES});
    const part = (x: number) => `${(100 * x).toFixed(0)} %`;
    const beside = isBeside
      ? `, the composite's ${part(worst.composed)}; ${worst.beyond} of ${worst.results} results beyond ` +
        `2 of its errors and those of sums`
      : '';
    console.log(
      `${name}: ${CASES} random cases, largest error ${part(worst.ours)} of the tolerance${beside}`,
    );
  });
});
