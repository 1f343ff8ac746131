/** What a query does not see does not count, be it NaN or infinite: no bit of a result changes. */
import * as tf from '@tensorflow/tfjs';

import {LocalAttentionArgs} from '../../src';
import {QUICK, useAnyBuild, useImplementation} from '../support/implementations';
import {generator, uniform} from '../support/inputs';
import {
  HEADS,
  MODES,
  TOKENS,
  expectUnchanged,
  inputs,
  put,
  queries,
  results,
  rowsWhere,
  sees,
  without,
} from '../support/spoilt';

const GARBAGE = [NaN, Infinity, -Infinity, 3e38];
const MASKED = [0, 11, 21, 22, TOKENS - 1];

describe.each(QUICK)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());
  const by = (config: LocalAttentionArgs) => ({...config, implementation: one.implementation});

  describe.each(MODES)('%s', (_, config) => {
    test('masked keys and values', async () => {
      const kept = queries().map((token) => +!MASKED.includes(token));
      const call = {mask: tf.tensor2d(kept, [1, TOKENS], 'bool')};
      const clean = await results(by(config), inputs(), call);
      expect(clean.every((x) => x.every(Number.isFinite))).toBe(true);
      for (const value of GARBAGE) {
        const spoilt = inputs();
        for (const token of MASKED) {
          for (const head of [0, 1, 2]) {
            put(spoilt.k, {head, token, channel: 3}, value);
            put(spoilt.v, {head, token, channel: 1}, value);
          }
        }
        const got = await results(by(config), spoilt, call);
        for (const [at, x] of got.entries()) await expectUnchanged(x, clean[at]);
      }
    });

    test('keys and values beyond causality, the band and the windows, for all others', async () => {
      const at = {head: 1, token: 21, channel: 2};
      const clean = await results(by(config), inputs());
      const hit = (head: number, i: number) => head === at.head && sees(config, i, at.token);
      const met = (head: number, j: number) =>
        queries().some((i) => hit(head, i) && sees(config, i, j));
      const [hitRows, metRows] = [hit, met].map(rowsWhere);
      const reached = [hitRows, hitRows, metRows, metRows];
      for (const value of GARBAGE) {
        const spoilt = inputs();
        put(spoilt.k, at, value);
        put(spoilt.v, at, value);
        const got = await results(by(config), spoilt);
        for (const [at, rows] of reached.entries()) {
          expect(rows.length).toBeLessThan(HEADS * TOKENS);
          await expectUnchanged(without(got[at], rows), without(clean[at], rows));
        }
      }
    });

    test('slots of the bias that causality, the band, the ends or the mask hide', async () => {
      const {windowSize: w, causal} = config;
      const back = config.lookBackward ?? 1;
      const context = (1 + back + (config.lookForward ?? (causal ? 0 : 1))) * w;
      const kept = queries().map((token) => +!MASKED.includes(token));
      const mask = tf.tensor2d(kept, [1, TOKENS], 'bool');
      const seen = new Set<number>();
      for (const i of queries()) {
        for (const j of queries()) {
          const slot = j - (Math.floor(i / w) - back) * w;
          if (kept[j] && sees(config, i, j)) seen.add((i % w) * context + slot);
        }
      }
      const bias = uniform(generator(5), [w, context]);
      const withHidden = (value: number) => {
        const values = Array.from(bias.data, (x, at) => (seen.has(at) ? x : value));
        return {mask, attnBias: tf.tensor2d(values, [w, context])};
      };
      const clean = await results(by(config), inputs(), withHidden(0));
      for (const value of [...GARBAGE, -1e9]) {
        const got = await results(by(config), inputs(), withHidden(value));
        for (const [at, x] of got.entries()) await expectUnchanged(x, clean[at]);
      }
      clean[4].forEach((slope, at) => {
        if (!seen.has(at)) expect(slope + 0).toBe(0);
      });
    });
  });
});
