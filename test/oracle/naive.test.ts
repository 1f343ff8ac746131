import {
  FIXTURE_TOLERANCE,
  localAttentionFixtures,
  localMHAFixtures,
  rotaryFixtures,
} from '../support/fixtures';
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

/** Central differences with this step leave about STEP² of truncation and 1e-16/STEP of rounding. */
const STEP = 1e-5;
const DIFFERENCE_TOLERANCE = 1e-8;

describe('the reference answers as the PyTorch original', () => {
  test.each(localAttentionFixtures())('LocalAttention and its gradients: $name', (fixture) => {
    const {q, k, v, config, mask, attnBias, windowSize, dout} = fixture;
    const inputs = {mask, attnBias, windowSize};
    expectClose(naiveLocalAttention(q, k, v, config, inputs), fixture.out);

    const grads = naiveLocalAttentionGrad(q, k, v, config, inputs, dout);
    expectClose(grads.dq, fixture.dq);
    expectClose(grads.dk, fixture.dk);
    expectClose(grads.dv, fixture.dv);
    expect(grads.dAttnBias === undefined).toBe(fixture.dAttnBias === undefined);
    if (fixture.dAttnBias) expectClose(grads.dAttnBias!, fixture.dAttnBias);
  });

  test.each(localMHAFixtures())('LocalMHA: $name', ({x, weights, config, mask, attnBias, out}) => {
    expectClose(naiveLocalMHA(x, weights, config, {mask, attnBias}), out);
  });

  test.each(rotaryFixtures().tables)('rotary: $name', ({dim, positions, cos, sin, x, rotated}) => {
    positions.data.forEach((position, index) => {
      // (1, 0) turned by an angle is (cos, sin), so this vector shows every channel's angle
      const unit = Array.from({length: dim}, (_, c) => (c < dim / 2 ? 1 : 0));
      const angles = [...rowOf(cos, index).slice(0, dim / 2), ...rowOf(sin, index).slice(dim / 2)];
      expectClose(vector(rotate(unit, position)), vector(angles));
      expectClose(vector(rotate(rowOf(x, index), position)), vector(rowOf(rotated, index)));
    });
  });

  test.each(rotaryFixtures().xpos)('xpos: $name', (table) => {
    const {dim, context, window, scaleBase} = table;
    for (let slot = 0; slot < context; slot++) {
      const scales = xposScales(dim, slot, context, scaleBase);
      expectClose(vector(scales), vector(rowOf(table.scales, slot)));
      const key = rotate(rowOf(table.k, slot), slot).map((value, c) => value / scales[c]);
      expectClose(vector(key), vector(rowOf(table.rotatedK, slot)));
      const index = slot - (context - window);
      if (index < 0) continue;
      const query = rotate(rowOf(table.q, index), slot).map((value, c) => value * scales[c]);
      expectClose(vector(query), vector(rowOf(table.rotatedQ, index)));
    }
  });
});

interface Case {
  name: string;
  config: NaiveConfig;
  tokens: number;
  inputs?: NaiveInputs;
}

/** Two heads; head 1 loses keys 3..7: all that is near its queries 3..5, or 6 and 7 looking back. */
const HOLED = {shape: [2, 9], data: [1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1]};
const BIAS = values('bias', [2, 3, 6]);
/** Dropout at rate 1/2, by a fixed pattern. */
const halve = (head: number, query: number, key: number) =>
  (head + 3 * query + 5 * key) % 7 < 3 ? 0 : 2;

/** Where the original is wrong, and the fixtures therefore silent. */
const CASES: Case[] = [
  {name: 'queries that see no key', config: {windowSize: 3}, tokens: 9, inputs: {mask: none(9)}},
  {
    name: 'a hole in the mask, own window only',
    config: {windowSize: 3, lookBackward: 0, lookForward: 0},
    tokens: 9,
    inputs: {mask: HOLED},
  },
  {
    name: 'a hole in the mask, causal, exact, biased, xpos',
    config: {windowSize: 3, causal: true, exactWindowsize: true, useXpos: true},
    tokens: 9,
    inputs: {mask: HOLED, attnBias: BIAS},
  },
  {
    name: 'a hole in the mask, shared qk',
    config: {windowSize: 3, lookBackward: 0, lookForward: 0, sharedQk: true},
    tokens: 9,
    inputs: {mask: HOLED},
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
  {name: 'dropped weights', config: {windowSize: 3}, tokens: 9, inputs: {keep: halve}},
];

describe('the reference agrees with central differences of itself', () => {
  test.each(CASES)('$name', ({name, config, tokens, inputs = {}}) => {
    const [q, k] = ['q', 'k'].map((part) => values(name + part, [2, tokens, 4]));
    const [v, dout] = ['v', 'dout'].map((part) => values(name + part, [2, tokens, 3]));
    const {attnBias} = inputs;
    const loss = () => sumOfProducts(naiveLocalAttention(q, k, v, config, inputs), dout);

    const grads = naiveLocalAttentionGrad(q, k, v, config, inputs, dout);
    expectClose(grads.dq, differences(q, loss), DIFFERENCE_TOLERANCE);
    expectClose(grads.dk, differences(k, loss), DIFFERENCE_TOLERANCE);
    expectClose(grads.dv, differences(v, loss), DIFFERENCE_TOLERANCE);
    if (attnBias) {
      expectClose(grads.dAttnBias!, differences(attnBias, loss), DIFFERENCE_TOLERANCE);
    }
  });
});

describe('where the original is wrong, the reference keeps the definition', () => {
  const window = {windowSize: 3, lookBackward: 0, lookForward: 0};
  const [q, k, v, dout] = ['q', 'k', 'v', 'dout'].map((part) => values(part, [2, 9, 4]));

  test('a query that sees no key gives zeros, and sends no gradient', () => {
    const out = naiveLocalAttention(q, k, v, window, {mask: HOLED});
    const {dq, dk, dv} = naiveLocalAttentionGrad(q, k, v, window, {mask: HOLED}, dout);
    for (const blind of [12, 13, 14]) {
      expect(rowOf(out, blind)).toEqual([0, 0, 0, 0]);
      for (const gradient of [dq, dk, dv]) expect(rowOf(gradient, blind)).toEqual([0, 0, 0, 0]);
    }
    expect(rowOf(out, 11)).not.toEqual([0, 0, 0, 0]);
  });

  test('a row of -Infinity in the bias blinds a query as a mask does', () => {
    const attnBias = {shape: [3, 3], data: [0, 0, 0, -Infinity, -Infinity, -Infinity, 0, 0, 0]};
    const out = naiveLocalAttention(q, k, v, window, {attnBias});
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

function expectClose(got: Values, wanted: Values, tolerance = FIXTURE_TOLERANCE) {
  expect(got.shape).toEqual(wanted.shape);
  const largest = Array.from(wanted.data).reduce((m, x) => Math.max(m, Math.abs(x)), 0);
  const errors = Array.from(got.data, (x, index) => Math.abs(x - wanted.data[index]));
  const worst = errors.reduce((m, x) => Math.max(m, x), 0); // NaN survives, and fails
  // a tensor whose truth is all zeros leaves nothing to be relative to, only rounding
  expect(worst).toBeLessThanOrEqual(tolerance * largest + 1e-12);
}

function rowOf(x: Values, index: number): number[] {
  const width = x.shape[x.shape.length - 1];
  return Array.from(x.data).slice(index * width, (index + 1) * width);
}

function vector(data: number[]): Values {
  return {shape: [data.length], data};
}

function none(tokens: number): Values {
  return {shape: [1, tokens], data: new Float64Array(tokens)};
}

function sumOfProducts(a: Values, b: Values): number {
  return Array.from(a.data).reduce((sum, x, index) => sum + x * b.data[index], 0);
}

/** d loss / dx by central differences; `loss` reads x as it stands. */
function differences(x: Values, loss: () => number): Values {
  const data = x.data as Float64Array;
  const slope = Array.from(data, (value, index) => {
    data[index] = value + STEP;
    const above = loss();
    data[index] = value - STEP;
    const below = loss();
    data[index] = value;
    return (above - below) / (2 * STEP);
  });
  return {shape: x.shape, data: slope};
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
