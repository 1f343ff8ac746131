import {localAttentionFixtures, localMHAFixtures, rotaryFixtures} from '../support/fixtures';
import {
  naiveLocalAttention,
  naiveLocalAttentionGrad,
  naiveLocalMHA,
  rotate,
  xposScales,
  type NaiveConfig,
  type NaiveInputs,
  type Values,
} from '../support/naive';
import {FIXTURE_TOLERANCE, centralDifferences} from '../support/tolerance';

/** Of sums over some hundred numbers. */
const {step: STEP, tolerance: DIFFERENCE_TOLERANCE} = centralDifferences(100 * Number.EPSILON);

describe('the reference answers as the PyTorch original', () => {
  test.each(localAttentionFixtures())('LocalAttention and its gradients: $name', (fixture) => {
    const {q, k, v, config, mask, attnBias, windowSize, dout} = fixture;
    const inputs = {mask, attnBias, windowSize};
    const out = naiveLocalAttention(q, k, v, config, inputs);
    expect(out.shape).toEqual(fixture.out.shape);
    expectClose(out.data, fixture.out.data);

    const grads = naiveLocalAttentionGrad(q, k, v, config, inputs, dout);
    expectClose(grads.dq.data, fixture.dq.data);
    expectClose(grads.dk.data, fixture.dk.data);
    expectClose(grads.dv.data, fixture.dv.data);
    expect(grads.dAttnBias === undefined).toBe(fixture.dAttnBias === undefined);
    if (fixture.dAttnBias) expectClose(grads.dAttnBias!.data, fixture.dAttnBias.data);
  });

  test.each(localMHAFixtures())('LocalMHA: $name', ({x, weights, config, mask, attnBias, out}) => {
    const got = naiveLocalMHA(x, weights, config, {mask, attnBias});
    expect(got.shape).toEqual(out.shape);
    expectClose(got.data, out.data);
  });

  test.each(rotaryFixtures().tables)('rotary: $name', ({dim, positions, cos, sin, x, rotated}) => {
    positions.data.forEach((position, index) => {
      // (1, 0) turned by an angle is (cos, sin), so this vector shows every channel's angle
      const unit = Array.from({length: dim}, (_, c) => (c < dim / 2 ? 1 : 0));
      const angles = [...rowOf(cos, index).slice(0, dim / 2), ...rowOf(sin, index).slice(dim / 2)];
      expectClose(rotate(unit, position), angles);
      expectClose(rotate(rowOf(x, index), position), rowOf(rotated, index));
    });
  });

  test.each(rotaryFixtures().xpos)('xpos: $name', (table) => {
    const {dim, context, window, scaleBase} = table;
    for (let slot = 0; slot < context; slot++) {
      const scales = xposScales(dim, slot, context, scaleBase);
      expectClose(scales, rowOf(table.scales, slot));
      const key = rotate(rowOf(table.k, slot), slot).map((value, c) => value / scales[c]);
      expectClose(key, rowOf(table.rotatedK, slot));
      const index = slot - (context - window);
      if (index < 0) continue;
      const query = rotate(rowOf(table.q, index), slot).map((value, c) => value * scales[c]);
      expectClose(query, rowOf(table.rotatedQ, index));
    }
  });
});

interface Case {
  name: string;
  config: NaiveConfig;
  tokens?: number;
  inputs?: NaiveInputs;
}

/** Two heads; head 1 loses keys 3..7: all that is near its queries 3..5, or 6 and 7 looking back. */
const HOLED = {shape: [2, 9], data: [1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1]};
const OWN = {windowSize: 3, lookBackward: 0, lookForward: 0};
const NOTHING = {shape: [1, 9], data: new Float64Array(9)};
const BIAS = values('bias', [2, 3, 6]);
/** Dropout at rate 1/2, by a fixed pattern. */
const halve = (head: number, query: number, key: number) =>
  (head + 3 * query + 5 * key) % 7 < 3 ? 0 : 2;

/** Where the original is wrong, and the fixtures therefore silent. */
const CASES: Case[] = [
  {name: 'queries that see no key', config: {windowSize: 3}, inputs: {mask: NOTHING}},
  {name: 'a hole in the mask, own window only', config: OWN, inputs: {mask: HOLED}},
  {name: 'a hole in the mask, shared qk', config: {...OWN, sharedQk: true}, inputs: {mask: HOLED}},
  {
    name: 'a hole in the mask, causal, exact, biased, xpos',
    config: {windowSize: 3, causal: true, exactWindowsize: true, useXpos: true},
    inputs: {mask: HOLED, attnBias: BIAS},
  },
  {name: 'bidirectional autopad', config: {windowSize: 4, autopad: true}, tokens: 10},
  {
    name: 'fewer tokens than a window, look forward 2',
    config: {windowSize: 4, autopad: true, lookForward: 2, sharedQk: true},
    tokens: 3,
  },
  {
    name: 'autopad to a window given at the call, exact',
    config: {windowSize: 4, autopad: true, exactWindowsize: true, useXpos: true},
    tokens: 8,
    inputs: {windowSize: 3},
  },
  {name: 'dropped weights', config: {windowSize: 3}, inputs: {keep: halve}},
];

describe('the reference agrees with central differences of itself', () => {
  test.each(CASES)('$name', ({name, config, tokens = 9, inputs = {}}) => {
    const [q, k] = ['q', 'k'].map((part) => values(name + part, [2, tokens, 4]));
    const [v, dout] = ['v', 'dout'].map((part) => values(name + part, [2, tokens, 3]));
    const {attnBias} = inputs;
    const loss = () => sumOfProducts(naiveLocalAttention(q, k, v, config, inputs), dout);

    const grads = naiveLocalAttentionGrad(q, k, v, config, inputs, dout);
    expectClose(grads.dq.data, differences(q, loss), DIFFERENCE_TOLERANCE);
    expectClose(grads.dk.data, differences(k, loss), DIFFERENCE_TOLERANCE);
    expectClose(grads.dv.data, differences(v, loss), DIFFERENCE_TOLERANCE);
    if (!attnBias) return;
    expectClose(grads.dAttnBias!.data, differences(attnBias, loss), DIFFERENCE_TOLERANCE);
  });
});

describe('where the original is wrong, the reference keeps the definition', () => {
  const [q, k, v, dout] = ['q', 'k', 'v', 'dout'].map((part) => values(part, [2, 9, 4]));

  test('a query that sees no key gives zeros, and sends no gradient', () => {
    const out = naiveLocalAttention(q, k, v, OWN, {mask: HOLED});
    const {dq, dk, dv} = naiveLocalAttentionGrad(q, k, v, OWN, {mask: HOLED}, dout);
    for (const blind of [12, 13, 14]) {
      expect(rowOf(out, blind)).toEqual([0, 0, 0, 0]);
      for (const gradient of [dq, dk, dv]) expect(rowOf(gradient, blind)).toEqual([0, 0, 0, 0]);
    }
    expect(rowOf(out, 11)).not.toEqual([0, 0, 0, 0]);
  });

  test('a row of -Infinity in the bias blinds a query as a mask does', () => {
    const attnBias = {shape: [3, 3], data: [0, 0, 0, -Infinity, -Infinity, -Infinity, 0, 0, 0]};
    const out = naiveLocalAttention(q, k, v, OWN, {attnBias});
    expect(rowOf(out, 1)).toEqual([0, 0, 0, 0]);
    expect(rowOf(out, 2)).not.toEqual([0, 0, 0, 0]);
  });

  test('autopad answers as 12 tokens with the last two masked', () => {
    const [q12, k12, v12] = ['q', 'k', 'v'].map((part) => values(part + 12, [1, 12, 4]));
    const cut = (x: Values) => ({shape: [1, 10, 4], data: Array.from(x.data).slice(0, 40)});
    const mask = {shape: [1, 12], data: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]};
    const padded = naiveLocalAttention(cut(q12), cut(k12), cut(v12), {
      windowSize: 4,
      autopad: true,
    });
    const masked = naiveLocalAttention(q12, k12, v12, {windowSize: 4}, {mask});
    expect(Array.from(padded.data)).toEqual(Array.from(masked.data).slice(0, 40));
  });
});

function expectClose(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  tolerance = FIXTURE_TOLERANCE,
) {
  expect(got.length).toBe(wanted.length);
  const largest = Math.max(...Array.from(wanted, Math.abs));
  const worst = Math.max(...Array.from(got, (x, index) => Math.abs(x - wanted[index])));
  // a truth of all zeros leaves nothing to be relative to, only rounding
  expect(worst).toBeLessThanOrEqual(tolerance * largest + 1e-12);
}

function rowOf(x: Values, index: number): number[] {
  const width = x.shape[x.shape.length - 1];
  return Array.from(x.data).slice(index * width, (index + 1) * width);
}

function sumOfProducts(a: Values, b: Values): number {
  return Array.from(a.data).reduce((sum, x, index) => sum + x * b.data[index], 0);
}

/** d loss / dx by central differences; `loss` reads x as it stands. */
function differences(x: Values, loss: () => number): number[] {
  const data = x.data as Float64Array;
  const lossAt = (index: number, value: number) => {
    data[index] = value;
    return loss();
  };
  return Array.from(data, (value, index) => {
    const slope = (lossAt(index, value + STEP) - lossAt(index, value - STEP)) / (2 * STEP);
    data[index] = value;
    return slope;
  });
}

/** Numbers in [-2, 2], fixed by the name: a linear congruential generator seeded with its letters. */
function values(name: string, shape: number[]): Values {
  let state = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  const data = Float64Array.from({length: shape.reduce((a, b) => a * b, 1)}, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 30 - 2;
  });
  return {shape, data};
}
