/** Our Exp, Erf, Sqrt, Rsqrt and FusedBatchNorm on wasm against those of TF.js, and float64. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

import {BATCH_NORM} from '../../kernels/tfjs/batch_norm';
import {MAPS} from '../../kernels/tfjs/map';
import {BACKENDS, useBackend} from '../support/backends';
import {living} from '../support/close';
import {erf} from '../support/erf';
import {both, expectSame, someValues} from '../support/replaced';
import {EPSILON} from '../support/tolerance';

const TRUTH: Record<string, (x: number) => number> = {
  Exp: Math.exp,
  Erf: erf,
  Sqrt: Math.sqrt,
  Rsqrt: (x) => 1 / Math.sqrt(x),
};
/** Largest relative errors, in units of ε: roundings of the last steps, and of an approximation. */
const ERRORS: Record<string, number> = {Exp: 2, Erf: 4, Sqrt: 0.5, Rsqrt: 1.5};
const SMALLEST = 2 ** -126;

const onWasm = BACKENDS.includes('wasm') ? describe : describe.skip;

onWasm.each(MAPS.map((one) => [one.kernel, one] as const))('%s on wasm', (kernel, replacement) => {
  beforeAll(() => useBackend('wasm'));
  const f = TRUTH[kernel];

  const float = fc.oneof(
    fc.float({noDefaultInfinity: true, noNaN: true}),
    fc.float({min: -100, max: 100, noNaN: true}),
    fc.float({min: -4, max: 4, noNaN: true}),
  );

  test('is the function in float64 up to rounding, for any number of numbers', () => {
    const {ours} = both(replacement);
    const before = living();
    const check = (values: number[]) => {
      const x = tf.tensor1d(values, 'float32');
      const found = ours({x});
      expect({shape: found.shape, dtype: found.dtype}).toEqual({shape: [values.length], dtype: 'float32'}); // prettier-ignore
      found.dataSync().forEach((value, i) => {
        const want = f(Math.fround(values[i]));
        const nearest = Math.fround(want);
        if (!Number.isFinite(nearest) || value === nearest) return expect(value).toBe(nearest);
        // a number below the smallest normal one keeps fewer digits
        const error = Math.abs(value - want) / Math.max(Math.abs(want), SMALLEST);
        expect(error).toBeLessThanOrEqual(ERRORS[kernel] * EPSILON);
      });
      tf.dispose([x, found]);
    };
    fc.assert(fc.property(fc.array(float, {maxLength: 40}), check), {numRuns: 400, seed: 13});
    expect(living()).toEqual(before);
  });

  test('is what TF.js answers, up to its error', () => {
    const {theirs, ours} = both(replacement);
    const x = tf.linspace(-9, 9, 1001);
    const [found, known] = [ours({x}), theirs({x})];
    const values = known.dataSync();
    found.dataSync().forEach((value, i) => {
      if (Number.isNaN(value)) return expect(values[i]).toBeNaN();
      // its erf is that of Abramowitz and Stegun, wrong by 1.5e-7
      expect(Math.abs(value - values[i])).toBeLessThanOrEqual(8 * EPSILON * Math.max(1, Math.abs(value))); // prettier-ignore
    });
    tf.dispose([x, found, known]);
  });

  test('passes NaN, infinities and zeros as TF.js does, alone and among others', () => {
    const {theirs, ours} = both(replacement);
    for (const one of [NaN, Infinity, -Infinity, 0, -0]) {
      for (const values of [[one], [1, one, 4, 9, 16]]) {
        const x = tf.tensor1d(values);
        const at =
          values.indexOf(one) === -1 ? values.findIndex(Number.isNaN) : values.indexOf(one);
        const [found, known] = [ours({x}), theirs({x})].map((y) => y.dataSync()[at]);
        if (kernel === 'Erf' && one === 0)
          expect(found + 0).toBe(0); // TF.js's erf(0) is 1e-9
        else expect(found).toBe(known);
      }
    }
  });

  test('of any shape, and of nothing, has that shape; of integers is TF.js’s', () => {
    const {ours, wasHandedOn} = both(replacement);
    for (const shape of [[], [0], [2, 0, 3], [2, 1, 3, 1, 2]]) {
      expect(ours({x: tf.ones(shape)}).shape).toEqual(shape);
    }
    expect(wasHandedOn()).toBe(false);
    const theirs = jest.fn(() => []);
    const call = {inputs: {x: someValues([5], 'int32')}, backend: tf.backend()};
    replacement.make(theirs)(call);
    expect(theirs).toHaveBeenCalledWith(call);
  });
});

onWasm('FusedBatchNorm on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  test.each([[[1, 1, 1, 1]], [[2, 1, 3, 7]], [[1, 4, 4, 4]], [[3, 5, 2, 3]]])(
    'of %j, with scale and offset and without, is TF.js’s and that of float64',
    (shape) => {
      const {theirs, ours, wasHandedOn} = both(BATCH_NORM);
      const before = living();
      const attrs = {varianceEpsilon: 1e-3};
      const all = tf.tidy(() => ({
        x: someValues(shape),
        mean: tf.mul(someValues(shape), 0.3),
        variance: tf.add(tf.abs(someValues(shape)), 0.1),
        scale: tf.sin(someValues(shape)),
        offset: tf.cos(someValues(shape)),
      }));
      for (const inputs of [all, {...all, scale: undefined}, {...all, offset: undefined}]) {
        const [found, known] = [ours(inputs, attrs), theirs(inputs, attrs)];
        const given = Object.entries(inputs).map(([name, one]) => [name, one?.dataSync()] as const);
        const values = Object.fromEntries(given);
        found.dataSync().forEach((value, i) => {
          const root = Math.sqrt(values.variance![i] + attrs.varianceEpsilon);
          const terms = [values.x![i] / root, values.mean![i] / root].map((one) => one * (values.scale?.[i] ?? 1)); // prettier-ignore
          const want = terms[0] - terms[1] + (values.offset?.[i] ?? 0);
          const size = Math.abs(terms[0]) + Math.abs(terms[1]) + 1;
          expect(Math.abs(value - want)).toBeLessThanOrEqual(4 * EPSILON * size);
          expect(Math.abs(value - known.dataSync()[i])).toBeLessThanOrEqual(8 * EPSILON * size);
        });
        expect({shape: found.shape, dtype: found.dtype}).toEqual({shape, dtype: 'float32'});
        tf.dispose([found, known]);
      }
      expect(wasHandedOn()).toBe(false);
      tf.dispose(Object.values(all));
      expect(living()).toEqual(before);
    },
  );

  test('of one mean and variance for each channel is TF.js’s', () => {
    const {theirs, ours, wasHandedOn} = both(BATCH_NORM);
    const inputs = {
      x: someValues([2, 2, 3, 5]),
      mean: someValues([5]),
      variance: tf.abs(someValues([5])),
    };
    const attrs = {varianceEpsilon: 1e-3};
    const known = theirs(inputs, attrs);
    expectSame(ours(inputs, attrs), known);
    expect(wasHandedOn()).toBe(true);
  });
});
