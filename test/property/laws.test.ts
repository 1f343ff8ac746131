/** What must hold of any local attention, whoever computes it. */
import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';

import {localAttention, rotary} from '../../src';
import {arbitraryCase} from '../support/arbitrary';
import {Case} from '../support/cases';
import {expectClose, expectSame} from '../support/close';
import {QUICK, useAnyBuild, useImplementation} from '../support/implementations';
import {CaseInputs, geometry, inputsOf, tensorsOf} from '../support/inputs';
import {SAMPLED} from '../support/sample';
import {outputTolerance} from '../support/tolerance';
import {truthOf} from '../support/truth';

const LAWS = 7; // one for each kind of full attention
const RUNS = {seed: 3, numRuns: Number(process.env.CASES ?? (SAMPLED ? 10 : 25))};

jest.setTimeout(60_000 + 300 * RUNS.numRuns);

describe.each(QUICK)('%s', (name, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  let checked = 0;
  afterAll(() => console.log(`${name}: ${checked} random cases of ${LAWS} laws`));
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  /** Checks the law for random cases with these choices. */
  const law = (
    fixed: Parameters<typeof arbitraryCase>[0],
    check: (c: Case, values: CaseInputs) => Promise<void>,
  ) =>
    fc.assert(
      fc.asyncProperty(arbitraryCase(fixed), (c) => {
        checked++;
        return check(c, inputsOf(c));
      }),
      RUNS,
    );
  const by = (c: Case) => ({...c.config, implementation: one.implementation});
  /** The op on the inputs of a case. */
  const attend = async (c: Case, values: CaseInputs) => {
    const {inputs, call} = tensorsOf(c, values);
    const [q, k, v, attnBias] = inputs;
    return localAttention(q, k, v, by(c), {...call, attnBias}).data<'float32'>();
  };

  test('the weights of a query that sees a key sum to 1, of any other to 0', () =>
    law({dropout: false, bias: 'heads'}, async (c, values) => {
      const ones = {...values, v: {...values.v, data: Float64Array.from(values.v.data, () => 1)}};
      const out = await attend(c, ones);
      const tolerance = outputTolerance({d: 0, context: geometry(c).context, largestScore: 0});
      eachQuery(c, values, (at, keys) => {
        for (let x = at * c.dv!; x < (at + 1) * c.dv!; x++) {
          if (keys.length === 0) expect(out[x]).toBe(0);
          else expect(Math.abs(out[x] - 1)).toBeLessThanOrEqual(tolerance);
        }
      });
    }));

  test('the output is within the hull of the values that a query sees', () =>
    law({dropout: false, dv: 3, bias: 'shared'}, async (c, values) => {
      const out = await attend(c, values);
      const slack = outputTolerance({d: 0, context: geometry(c).context, largestScore: 0});
      eachQuery(c, values, (at, keys) => {
        for (let channel = 0; channel < (keys.length && 3); channel++) {
          const seen = keys.map((key) => values.v.data[key * 3 + channel]);
          expect(out[at * 3 + channel]).toBeGreaterThanOrEqual(Math.min(...seen) - slack);
          expect(out[at * 3 + channel]).toBeLessThanOrEqual(Math.max(...seen) + slack);
        }
      });
    }));

  test('keys that a query does not see have exactly zero gradients from it', () =>
    law({dropout: false, bias: 'none'}, async (c, values) => {
      const {inputs, call, dout} = tensorsOf(c, values);
      const [n, d] = c.shape.slice(-2);
      const rows = values.q.data.length / d;
      const at = Math.floor(Math.abs(c.seed!) % rows);
      const chosen = tf.reshape(tf.oneHot(tf.tensor1d([at], 'int32'), rows), [...c.shape.slice(0, -1), 1]); // prettier-ignore
      const grads = tf.grads((q, k, v) => localAttention(q, k, v, by(c), call));
      const [dq, dk, dv] = await Promise.all(
        grads(inputs, tf.mul(dout, chosen)).map((x) => x.data<'float32'>()),
      );
      const seen = new Set(visible(c, values, Math.floor(at / n), at % n));
      for (let row = 0; row < rows; row++) {
        if (!seen.has(row)) {
          expect(dk.slice(row * d, (row + 1) * d).every((x) => x === 0)).toBe(true);
          expect(dv.slice(row * c.dv!, (row + 1) * c.dv!).every((x) => x === 0)).toBe(true);
        }
        if (row !== at) expect(dq.slice(row * d, (row + 1) * d).every((x) => x === 0)).toBe(true);
      }
      if (seen.size > 0) expect(dv.some((x) => x !== 0)).toBe(true);
    }));

  test.each([true, false])('a window of the whole text is full attention: causal %s', (causal) =>
    law(
      {causal, window: 20, back: 0, forward: 0, exact: false, sharedQk: false, positions: 'rotary', leading: [2], dropout: false, bias: 'none', kept: null, large: null}, // prettier-ignore
      async (c, values) => {
        const [n, d] = c.shape.slice(-2);
        const {
          inputs: [q, k, v],
          call,
        } = tensorsOf(c, values);
        const angles = rotary.angles(n, d);
        const [turnedQ, turnedK] = [q, k].map((x) => rotary.apply(x, angles));
        const scores = tf.mul(tf.matMul(turnedQ, turnedK, false, true), c.config.scale ?? d ** -0.5); // prettier-ignore
        const past = tf.linalg.bandPart(tf.ones([n, n]), causal ? -1 : n, causal ? 0 : n);
        const hidden = tf.mul(tf.sub(1, past), -1e9);
        const full = tf.matMul(tf.softmax(tf.add(scores, hidden)), v);
        const want = {shape: full.shape, data: await full.data()};
        // both are computed in float32
        const [{tolerance}] = truthOf(c).wanted;
        await expectClose('out', localAttention(q, k, v, by(c), call), want, 2 * tolerance);
      },
    ),
  );

  test('causal: changing the tokens after t leaves the outputs up to t bit-identical', () =>
    law({causal: true, dropout: false}, async (c, values) => {
      const n = c.shape[c.shape.length - 2];
      const t = Math.abs(c.seed!) % n;
      const later = {...values};
      for (const name of ['q', 'k', 'v'] as const) {
        const {shape, data} = values[name];
        const width = shape[shape.length - 1];
        const change = (x: number, at: number) => (Math.floor(at / width) % n > t ? 9 - x : x);
        later[name] = {shape, data: Float64Array.from(data, change)};
      }
      const [one, other] = [await attend(c, values), await attend(c, later)];
      const before = (_: number, at: number) => Math.floor(at / c.dv!) % n <= t;
      expect(other.filter(before)).toEqual(one.filter(before));
    }));

  test('permuting batch and heads commutes, bit for bit', () =>
    law({leading: [2, 3], dropout: false, bias: 'heads'}, async (c, values) => {
      const {inputs, call} = tensorsOf(c, values);
      const [q, k, v, attnBias] = inputs;
      const batches = tf.tensor1d([1, 0], 'int32');
      const heads = tf.tensor1d([2, 0, 1], 'int32');
      const permuted = (x: tf.Tensor) => tf.gather(tf.gather(x, batches, 0), heads, 1);
      const mask = call.mask && tf.cast(tf.gather(tf.cast(call.mask, 'int32'), batches), 'bool');
      const out = permuted(localAttention(q, k, v, by(c), {...call, attnBias}));
      const other = localAttention(permuted(q), permuted(k), permuted(v), by(c), {
        ...call,
        mask,
        attnBias: tf.gather(attnBias, heads),
      });
      await expectSame(other, out, () => 2 * truthOf(c).wanted[0].tolerance);
    }));
});

function eachQuery(c: Case, values: CaseInputs, f: (at: number, keys: number[]) => void) {
  const [n, d] = c.shape.slice(-2);
  for (let at = 0; at < values.q.data.length / d; at++) {
    f(at, visible(c, values, Math.floor(at / n), at % n));
  }
}

/** The rows of the keys that query i of a head sees: the definition, written once more. */
function visible(c: Case, {q, naive}: CaseInputs, head: number, i: number): number[] {
  const {windowSize, causal, exactWindowsize, lookBackward = 1, lookForward = 1} = c.config;
  const w = c.windowSize ?? windowSize;
  const [n, d] = c.shape.slice(-2);
  const keys: number[] = [];
  for (let j = 0; j < n; j++) {
    const windows = Math.floor(j / w) - Math.floor(i / w);
    if (windows < -lookBackward || windows > lookForward || (causal && j > i)) continue;
    if (exactWindowsize && (i - j > lookBackward * w || j - i > lookForward * w)) continue;
    if (naive.mask) {
      const heads = q.data.length / (n * d) / naive.mask.shape[0];
      if (!naive.mask.data[Math.floor(head / heads) * n + j]) continue;
    }
    keys.push(head * n + j);
  }
  return keys;
}
