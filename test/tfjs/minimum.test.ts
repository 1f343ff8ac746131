/** Our Minimum on wasm against that of TF.js: the same bits. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

import {broadcastRows} from '../../kernels/tfjs/broadcast_rows';
import {MINIMUM} from '../../kernels/tfjs/minimum';
import {BACKENDS, useBackend} from '../support/backends';
import {both, broadcastPairs, expectSame, leavesNothing, someValues} from '../support/replaced';

const onWasm = BACKENDS.includes('wasm') ? describe : describe.skip;

onWasm('Minimum on wasm', () => {
  beforeAll(() => useBackend('wasm'));
  leavesNothing();

  test('of any shapes that go together, long rows by ours', () => {
    const {theirs, ours, wasHandedOn} = both(MINIMUM);
    const own = {short: 0, long: 0};
    const check = ([first, second]: number[][]) => {
      const [a, b] = [someValues(first), tf.mul(someValues(second), -0.7)];
      const found = ours({a, b});
      const isShort = broadcastRows(first, second).length < 8;
      own[isShort ? 'short' : 'long']++;
      expect(wasHandedOn()).toBe(isShort);
      if (!found.shape.includes(0)) expectSame(found, theirs({a, b}));
    };
    fc.assert(fc.property(broadcastPairs, check), {numRuns: 400, seed: 7});
    expect(Math.min(own.short, own.long)).toBeGreaterThan(30);
  });

  test.each([
    ['a table of keys for all windows', [2, 3, 5, 9], [5, 9]],
    ['keys of each window', [2, 3, 5, 9], [3, 1, 9]],
    ['a number for all', [2, 3, 5, 9], []],
    ['the table first', [5, 9], [2, 3, 5, 9]],
    ['columns for rows', [13, 1], [1, 11]],
  ])('of scores and %s', (_, first, second) => {
    const {theirs, ours, wasHandedOn} = both(MINIMUM);
    const [a, b] = [someValues(first), tf.sin(tf.mul(someValues(second), 9))];
    const found = ours({a, b});
    expect(wasHandedOn()).toBe(false);
    expectSame(found, theirs({a, b}));
  });

  test('of NaN, infinities and zeros of either sign', () => {
    const {theirs, ours, wasHandedOn} = both(MINIMUM);
    const some = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 3e38, 1e-45];
    const [a, b] = [tf.tensor(some, [9, 1]), tf.tensor(some)];
    const found = ours({a, b}).dataSync();
    expect(wasHandedOn()).toBe(false);
    const known = theirs({a, b}).dataSync();
    found.forEach((value, i) => expect(Object.is(value, known[i])).toBe(true));
  });

  test('a row is as long as both go on or stand still, whatever axes of one are between', () => {
    const lengthOf = (a: number[], b: number[]) => broadcastRows(a, b).length;
    expect(lengthOf([64, 1], [])).toBe(64);
    expect(lengthOf([2, 64, 1], [1, 64, 1])).toBe(64);
    expect(lengthOf([2, 1, 3, 1], [2, 1, 3, 1])).toBe(6);
    expect(lengthOf([5, 4], [5, 1])).toBe(4);
    expect(lengthOf([1, 1], [])).toBe(1);
  });

  test('of integers it is TF.js’s turn, and shapes that do not go together are refused', () => {
    const {ours, wasHandedOn} = both(MINIMUM);
    ours({a: someValues([9], 'int32'), b: someValues([9], 'int32')});
    expect(wasHandedOn()).toBe(true);
    expect(() => ours({a: someValues([3]), b: someValues([4])})).toThrow(/broadcast/);
  });
});
