/** Token by token as all at once: random configurations, chunks and masks against the loops. */
import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';

import type {Case} from '../support/cases';
import {expectClose, living} from '../support/close';
import {arbitraryDecoding, decoded} from '../support/decoding';
import {QUICK, useAnyBuild, useImplementation} from '../support/implementations';
import {inputsOf, tensorsOf} from '../support/inputs';
import {naiveLocalAttention} from '../support/naive';

/** Change the seed to look elsewhere; fast-check prints it with what it found. */
const SEED = Number(process.env.SEED ?? 20261128);
/** What is asked of decoding at every position, as a part of the largest number. */
const TOLERANCE = 1e-5;

/** A GPU compiles what is not fused anew at each size. */
const casesOn = (backend: string) =>
  Number(process.env.CASES ?? (backend === 'webgpu' || backend === 'webgl' ? 4 : 200));

jest.setTimeout(60_000 + 1000 * casesOn('cpu'));

function truth(c: Case) {
  const values = inputsOf(c);
  const {q, k, v, naive} = values;
  return {values, want: naiveLocalAttention(q, k, v, c.config, naive)};
}

describe.each(QUICK)('%s', (name, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  const numRuns = casesOn(one.backend);

  test('every position of any configuration is that of the whole, whatever the chunks', async () => {
    let worst = 0;
    const check = async ({c, sizes}: {c: Case; sizes: number[]}) => {
      const before = living();
      const {values, want} = truth(c);
      const given = tensorsOf(c, values);
      const out = decoded(c, given, sizes, one.implementation);
      worst = Math.max(worst, await expectClose('out', out, want, TOLERANCE));
      tf.dispose([given.inputs, given.dispose, given.dout, out]);
      expect(living()).toEqual(before);
    };
    await fc.assert(fc.asyncProperty(arbitraryDecoding(), check), {seed: SEED, numRuns});
    console.log(
      `${name}: ${numRuns} random cases decoded, largest error ${worst.toExponential(1)}`,
    );
  });

  test.each([1e6, 1e9])(
    'so it is after %d tokens that do not exist, angles and all',
    async (before) => {
      const check = async ({c, sizes}: {c: Case; sizes: number[]}) => {
        const {values, want} = truth(c);
        const given = tensorsOf(c, values);
        const {windowSize} = c.config;
        const position = Math.ceil(before / windowSize) * windowSize;
        const out = decoded(c, given, sizes, one.implementation, (kept) => {
          const exists: tf.Tensor2D = tf.zeros([kept.k.shape[0], kept.k.shape[2]]);
          return {...kept, position, exists, wholeFrom: position};
        });
        await expectClose('out', out, want, TOLERANCE);
        tf.dispose([given.inputs, given.dispose, given.dout, out]);
      };
      const runs = Math.ceil(numRuns / 10);
      await fc.assert(fc.asyncProperty(arbitraryDecoding(), check), {seed: SEED, numRuns: runs});
    },
  );
});
