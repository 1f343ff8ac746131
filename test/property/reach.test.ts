/** NaN and infinities reach exactly the queries that see them, and what those have to do with. */
import * as tf from '@tensorflow/tfjs';

import {LocalAttentionArgs} from '../../src';
import {QUICK, useAnyBuild, useImplementation} from '../support/implementations';
import {
  CHANNELS,
  MODES,
  expectUnchanged,
  inputs,
  put,
  queries,
  results,
  rowOf,
  rowsWhere,
  sees,
  spoiltRows,
  takes,
  upstream,
} from '../support/spoilt';

describe.each(QUICK)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());
  const by = (config: LocalAttentionArgs) => ({...config, implementation: one.implementation});

  describe.each(MODES)('%s', (_, config) => {
    test.each(['q', 'k', 'v'] as const)('a NaN in %s', async (name) => {
      const at = {head: 1, token: 21, channel: 2};
      const spoilt = inputs();
      put(spoilt[name], at, NaN);
      const [out, dq, dk, dv] = await results(by(config), spoilt);
      const reached = (i: number) => (name === 'q' ? i === at.token : takes(config, i, at.token));
      const hit = (head: number, i: number) => head === at.head && reached(i);
      expect(spoiltRows(out)).toEqual(rowsWhere(hit));
      const whole = name === 'v' ? channels(at.channel) : channels();
      for (const row of rowsWhere(hit)) {
        expect(Array.from(rowOf(out, row), Number.isNaN)).toEqual(whole);
      }

      const met = (has: typeof sees) => (head: number, j: number) =>
        queries().some((i) => hit(head, i) && has(config, i, j));
      expect(spoiltRows(dq)).toEqual(rowsWhere(hit));
      // a token's score with itself is a constant where the keys are shared
      expect(spoiltRows(dk)).toEqual(rowsWhere(met(takes)));
      // by weights of NaN; those of a query that sees a NaN in v are as they were. Whether a token
      // that takes nothing of itself has such a weight too is left open
      const spoiltByWeight = rowsWhere(met(takes));
      const open = rowsWhere(met(sees)).filter((row) => !spoiltByWeight.includes(row));
      const spoiltInV = spoiltRows(dv).filter((row) => !open.includes(row));
      expect(spoiltInV).toEqual(name === 'v' ? [] : spoiltByWeight);
    });

    test('a NaN in the upstream gradient', async () => {
      const at = {head: 2, token: 21, channel: 0};
      const dout = upstream();
      put(dout, at, NaN);
      const [out, dq, dk, dv] = await results(by(config), inputs(), {}, dout);
      const seen = (head: number, j: number) => head === at.head && takes(config, at.token, j);
      const own = (head: number, i: number) => head === at.head && i === at.token;
      expect(spoiltRows(out)).toEqual([]);
      expect(spoiltRows(dq)).toEqual(rowsWhere(own));
      expect(spoiltRows(dk)).toEqual(rowsWhere(seen));
      expect(spoiltRows(dv)).toEqual(rowsWhere(seen));
    });
  });

  test.each([Infinity, -Infinity])('a value of %d is what its queries get', async (value) => {
    const spoilt = inputs();
    put(spoilt.v, {head: 0, token: 21, channel: 4}, value);
    const config = {windowSize: 5, causal: true};
    const [out] = await results(by(config), spoilt);
    const hit = rowsWhere((head, i) => head === 0 && sees(config, i, 21));
    expect(spoiltRows(out)).toEqual(hit);
    for (const row of hit) {
      expect(Array.from(rowOf(out, row), (x) => x === value)).toEqual(channels(4));
    }
  });

  test.each([NaN, Infinity])('a value of %d that a bias of −∞ hides is nobody’s', async (value) => {
    const config = {windowSize: 5, causal: true};
    const hidden = Array.from({length: 5 * 10}, (_, at) => (at % 5 === 1 ? -Infinity : 0));
    const call = () => ({attnBias: tf.tensor2d(hidden, [5, 10])}); // the second token of a window
    const [clean] = await results(by(config), inputs(), call());
    const spoilt = inputs();
    put(spoilt.v, {head: 1, token: 21, channel: 2}, value);
    const [out] = await results(by(config), spoilt, call());
    await expectUnchanged(out, clean);
    expect(spoiltRows(out)).toEqual([]);
  });

  test.each(['q', 'v'] as const)(
    'a NaN in %s reaches the bias of the rows that see it',
    async (name) => {
      const config = {windowSize: 5, causal: true, lookBackward: 0};
      const spoilt = inputs();
      put(spoilt[name], {head: 1, token: 23, channel: 2}, NaN);
      const call = {attnBias: tf.zeros([5, 5])};
      const [, , , , slopes] = await results(by(config), spoilt, call);
      const rows = [0, 1, 2, 3, 4].filter((row) =>
        Array.from(slopes.slice(5 * row, 5 * row + 5)).some(Number.isNaN),
      );
      expect(rows).toEqual(name === 'q' ? [3] : [3, 4]); // 23 is the fourth of its window
    },
  );
});

/** Which channels are marked: one, or all. */
function channels(marked?: number): boolean[] {
  return Array.from({length: CHANNELS}, (_, c) => marked === undefined || c === marked);
}
