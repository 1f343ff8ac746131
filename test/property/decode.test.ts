/** Token by token as all at once: random configurations, chunks and masks against the loops. */
import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import type {Case} from '../support/cases';
import {expectClose, living} from '../support/close';
import {arbitraryDecoding, decoded} from '../support/decoding';
import {QUICK, useAnyBuild, useImplementation} from '../support/implementations';
import {type CaseInputs, inputsOf, tensorsOf} from '../support/inputs';
import {type Values, naiveLocalAttention} from '../support/naive';
import {SAMPLED} from '../support/sample';

/** Change the seed to look elsewhere; fast-check prints it with what it found. */
const SEED = Number(process.env.SEED ?? 20261128);
/** What is asked of decoding at every position, as a part of the largest number. */
const TOLERANCE = 1e-5;

/** A GPU compiles what is not fused anew at each size. */
const casesOn = (backend: string) =>
  Number(
    process.env.CASES ?? (backend === 'webgpu' || backend === 'webgl' ? 4 : SAMPLED ? 20 : 200),
  );

jest.setTimeout(60_000 + 1000 * casesOn('cpu'));

function truth(c: Case) {
  const values = inputsOf(c);
  const {q, k, v, naive} = values;
  return {values, want: naiveLocalAttention(q, k, v, c.config, naive)};
}

const MODES: [string, Case['config']][] = [
  ['whole windows', {windowSize: 4}],
  ['exact', {windowSize: 3, exactWindowsize: true, lookBackward: 2}],
  ['only its window', {windowSize: 5, lookBackward: 0}],
];

/** NaN in the keys and values of tokens that do not exist. */
function spoiltWhereMasked(c: Case, values: CaseInputs): CaseInputs {
  const [batch, heads, tokens] = c.shape;
  const {data} = values.naive.mask!;
  const rows = values.naive.mask!.shape[0];
  const spoilt = ({shape, data: old}: Values): Values => {
    const channels = shape[3];
    const fresh = Float64Array.from(old, (x, at) => {
      const row = Math.floor(at / channels);
      const sequence = Math.floor(row / (heads * tokens));
      return data[Math.floor((sequence * rows) / batch) * tokens + (row % tokens)] ? x : NaN;
    });
    return {shape, data: fresh};
  };
  return {...values, k: spoilt(values.k), v: spoilt(values.v)};
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
    await fc.assert(fc.asyncProperty(arbitraryDecoding(), check), {
      seed: SEED,
      numRuns,
      includeErrorInReport: true,
    });
    console.log(
      `${name}: ${numRuns} random cases decoded, largest error ${worst.toExponential(1)}`,
    );
  });

  test('what does not exist may be anything, for ever', async () => {
    const check = async ({c, sizes}: {c: Case; sizes: number[]}) => {
      const {values, want} = truth(c);
      const given = tensorsOf(c, spoiltWhereMasked(c, values));
      const out = decoded(c, given, sizes, one.implementation);
      await expectClose('out', out, want, TOLERANCE);
      tf.dispose([given.inputs, given.dispose, given.dout, out]);
    };
    const masked = arbitraryDecoding().filter(({c}) => c.mask !== undefined);
    await fc.assert(fc.asyncProperty(masked, check), {
      seed: SEED,
      numRuns: Math.ceil(numRuns / 10),
    });
  });

  test.each(MODES)('NaN is seen as long as its token, and no longer: %s', async (_, config) => {
    const c: Case = {name: 'NaN', config: {...config, causal: true, autopad: true}, shape: [1, 1, 24, 4]}; // prettier-ignore
    const values = inputsOf(c);
    for (const x of [values.k, values.v]) (x.data as Float64Array)[7 * 4 + 1] = NaN;
    const given = tensorsOf(c, values);
    const [q, k, v] = given.inputs;
    const whole = localAttention(q, k, v, {...c.config, implementation: 'composite'});
    const out = decoded(c, given, new Array(24).fill(1), one.implementation);
    const rows = async (x: tf.Tensor) => [...(await x.data())].map(Number.isNaN);
    expect(await rows(out)).toEqual(await rows(whole));
  });

  test('one token is one kernel, where the backend has it and it may', () => {
    const given = {backend: one.backend, implementation: one.implementation};
    const spy = jest.spyOn(tf.engine(), 'runKernel');
    const c: Case = {name: 'one', config: {windowSize: 4, causal: true}, shape: [1, 2, 1, 4]};
    decoded(c, tensorsOf(c, inputsOf(c)), [1], one.implementation);
    const kernels = spy.mock.calls.map(([name]) => name);
    spy.mockRestore();
    const has = ['cpu', 'wasm'].includes(one.backend) && one.implementation === 'fused';
    expect({...given, has: kernels.includes('LocalAttentionDecode')}).toEqual({...given, has});
    expect(kernels.includes('BatchMatMul')).toBe(!has);
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
