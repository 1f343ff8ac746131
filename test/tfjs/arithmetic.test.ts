/** Our Add, Sub, Multiply, RealDiv and Minimum on cpu against those of TF.js: the same bits. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

import {ARITHMETIC} from '../../kernels/tfjs/arithmetic';
import {BACKENDS, useBackend} from '../support/backends';
import {both, broadcastPairs, expectSame, leavesNothing, someValues} from '../support/replaced';

const onCpu = BACKENDS.includes('cpu') ? describe : describe.skip;

onCpu.each(ARITHMETIC.map((one) => [one.kernel, one] as const))('%s on cpu', (_, replacement) => {
  beforeAll(() => useBackend('cpu'));
  leavesNothing();

  test('of any shapes that go together', () => {
    const {theirs, ours, wasHandedOn} = both(replacement);
    const check = ([first, second]: number[][]) => {
      const [a, b] = [someValues(first), tf.add(someValues(second), 0.5)];
      const found = ours({a, b});
      expect(wasHandedOn()).toBe(false);
      expectSame(found, theirs({a, b}));
    };
    fc.assert(fc.property(broadcastPairs, check), {numRuns: 200, seed: 7});
  });

  test('of NaN, infinities and zeros of either sign', () => {
    const {theirs, ours} = both(replacement);
    const some = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 3e38, 1e-45];
    const [a, b] = [tf.tensor(some, [9, 1]), tf.tensor(some)];
    const [found, known] = [ours({a, b}).dataSync(), theirs({a, b}).dataSync()];
    found.forEach((value, i) => expect(Object.is(value, known[i])).toBe(true));
  });

  test('of integers it is TF.js’s turn, and shapes that do not go together are refused', () => {
    const {ours, wasHandedOn} = both(replacement);
    ours({a: someValues([3], 'int32'), b: someValues([3], 'int32')});
    expect(wasHandedOn()).toBe(true);
    expect(() => ours({a: someValues([3]), b: someValues([4])})).toThrow(/broadcast/);
  });
});
