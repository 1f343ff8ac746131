/** What must hold of the fused kernels where numbers, masks or memory are at their limits. */
import * as tf from '@tensorflow/tfjs';

import {LocalAttentionArgs, localAttention} from '../../src';
import type {LocalAttentionCall} from '../../src/attention/problem';
import {expectClose, living, tensor} from '../support/close';
import {generator, uniform} from '../support/inputs';
import {Values, naiveLocalAttention} from '../support/naive';
import {PROGRAMS, useAnyProgram, useProgram} from '../support/programs';
import {largestProduct, outputTolerance} from '../support/tolerance';

const HEADS = 3;
const N = 78; // two groups of the kernels, or two tiles of 64 in one
const D = 6;

/** Modes in which a query sees keys in different ways. */
const MODES: [string, LocalAttentionArgs][] = [
  ['bidirectional', {windowSize: 5}],
  ['causal', {windowSize: 5, causal: true}],
  ['causal, exact, look back 2', {windowSize: 5, causal: true, exactWindowsize: true, lookBackward: 2}], // prettier-ignore
  ['exact', {windowSize: 7, exactWindowsize: true}],
  ['own window only', {windowSize: 5, lookBackward: 0, lookForward: 0}],
  ['window 20, causal', {windowSize: 20, causal: true}],
  ['one window, causal', {windowSize: 100, causal: true}],
  ['shared qk', {windowSize: 5, sharedQk: true, causal: true}],
  ['xpos', {windowSize: 6, useXpos: true}],
];

describe.each(PROGRAMS.map((program) => [program.name, program] as const))('%s', (_, program) => {
  beforeAll(() => useProgram(program));
  afterAll(useAnyProgram);

  let before: ReturnType<typeof living>;
  beforeEach(() => {
    before = living();
    tf.engine().startScope();
  });
  afterEach(() => {
    tf.engine().endScope();
    expect(living()).toEqual(before);
  });

  describe.each(MODES)('NaN: %s', (_, config) => {
    test.each(['q', 'k', 'v'] as const)(
      'one in %s reaches exactly the queries that see it, and their keys',
      async (name) => {
        const at = {head: 1, token: 21, channel: 2};
        const spoilt = inputs();
        put(spoilt[name], at, NaN);
        const {out, grads} = await run(config, spoilt);
        const reached = (i: number) => (name === 'q' ? i === at.token : takes(config, i, at.token));
        const hit = (head: number, i: number) => head === at.head && reached(i);
        expect(spoiltRows(out)).toEqual(rowsWhere(hit));
        const whole = name === 'v' ? channels(at.channel) : channels();
        for (const row of rowsWhere(hit)) expect(rowOf(out, row).map(Number.isNaN)).toEqual(whole);

        // no gradient is spoilt but those of what a spoilt query has to do with
        const met = (head: number, j: number) =>
          queries().some((i) => hit(head, i) && sees(config, i, j));
        expect(rowsWhere(hit)).toEqual(expect.arrayContaining(spoiltRows(grads[0])));
        expect(rowsWhere(met)).toEqual(expect.arrayContaining(spoiltRows(grads[1])));
        expect(rowsWhere(met)).toEqual(expect.arrayContaining(spoiltRows(grads[2])));
      },
    );

    test('a masked key and its value have no influence, NaN or not', async () => {
      const masked = [0, 11, 21, 22, N - 1];
      const kept = Array.from({length: N}, (_, token) => !masked.includes(token));
      const call = {mask: tf.tensor2d(kept.map(Number), [1, N], 'bool')};
      const whole = await run(config, inputs(), call);
      for (const value of [NaN, Infinity]) {
        const spoilt = inputs();
        for (const token of masked) {
          for (const head of [0, 1, 2]) {
            put(spoilt.k, {head, token, channel: 3}, value);
            put(spoilt.v, {head, token, channel: 1}, value);
          }
        }
        const {out, grads} = await run(config, spoilt, call);
        expect(out).toEqual(whole.out);
        expect(grads[0]).toEqual(whole.grads[0]);
        expect(grads[2]).toEqual(whole.grads[2]);
        // with sharedQk the gradient passes through the norm of the masked key
        const through = (_: number, j: number) => config.sharedQk === true && masked.includes(j);
        const differ = rowsWhere(() => true).filter(
          (row) => `${rowOf(grads[1], row)}` !== `${rowOf(whole.grads[1], row)}`,
        );
        expect(rowsWhere(through)).toEqual(expect.arrayContaining(differ));
      }
    });

    test('an upstream NaN reaches the gradients of its query and of the keys it sees', async () => {
      const at = {head: 2, token: 21, channel: 0};
      const dout = uniform(generator(4), [HEADS, N, D]);
      put(dout, at, NaN);
      const {grads} = await run(config, inputs(), {}, dout);
      const seen = (head: number, j: number) => head === at.head && takes(config, at.token, j);
      const own = (head: number, i: number) => head === at.head && i === at.token;
      expect(spoiltRows(grads[2])).toEqual(rowsWhere(seen));
      expect(rowsWhere(seen)).toEqual(expect.arrayContaining(spoiltRows(grads[1])));
      expect(spoiltRows(grads[0])).toEqual(rowsWhere(own));
    });
  });

  test.each([Infinity, -Infinity])('a value of %d is what its queries get', async (value) => {
    const spoilt = inputs();
    put(spoilt.v, {head: 0, token: 21, channel: 4}, value);
    const config = {windowSize: 5, causal: true};
    const {out} = await run(config, spoilt);
    const hit = rowsWhere((head, i) => head === 0 && sees(config, i, 21));
    expect(spoiltRows(out)).toEqual(hit);
    for (const row of hit) {
      expect(rowOf(out, row).map((x) => x === value)).toEqual(channels(4));
    }
  });

  test.each([Infinity, -Infinity])(
    'an infinite key (%d) reaches only its queries',
    async (value) => {
      const spoilt = inputs();
      put(spoilt.k, {head: 0, token: 21, channel: 4}, value);
      const config = {windowSize: 5, useRotaryPosEmb: false};
      const {out} = await run(config, spoilt);
      const clean = await run(config, inputs());
      // those get NaN, or the key is never or always chosen
      const others = rowsWhere((head, i) => head !== 0 || !sees(config, i, 21));
      for (const row of others) expect(rowOf(out, row)).toEqual(rowOf(clean.out, row));
    },
  );

  test.each([1e4, -1e4])('logits of ±%d choose one key, without overflow', async (size) => {
    const spoilt = inputs();
    for (const x of [spoilt.q, spoilt.k]) {
      const data = x.data as Float64Array;
      data.forEach((value, at) => (data[at] = Math.fround(value * Math.sqrt(Math.abs(size)))));
    }
    const config = {windowSize: 5, autopad: true, scale: Math.sign(size)};
    const {out, grads} = await run(config, spoilt);
    const want = naiveLocalAttention(spoilt.q, spoilt.k, spoilt.v, config);
    const largestScore = largestProduct(spoilt.q, spoilt.k);
    const tolerance = outputTolerance({d: D, context: 15, largestScore});
    await expectClose('out', tf.tensor(out, [HEADS, N, D]), want, tolerance);
    for (const grad of grads) expect(grad.every(Number.isFinite)).toBe(true);
  });

  test('a query that sees nothing gives zeros, and has zero gradients', async () => {
    const config = {windowSize: 5, lookBackward: 0, lookForward: 0};
    const kept = Array.from({length: N}, (_, token) => +(token < 5 || token >= 15));
    const call = {mask: tf.tensor2d(kept, [1, N], 'bool')};
    const {out, grads} = await run(config, inputs(), call);
    const blind = rowsWhere((_, i) => i >= 5 && i < 15);
    const isZero = (x: number[]) => x.every((value) => value === 0);
    for (const x of [out, ...grads]) {
      expect(rowsWhere(() => true).filter((row) => isZero(rowOf(x, row)))).toEqual(blind);
    }
    const [, logSumExp] = kernel(config, call.mask);
    const values = Array.from(await logSumExp.data());
    values.forEach((x, at) => {
      if (kept[at % N]) expect(Number.isFinite(x)).toBe(true);
      else expect(x).toBe(Infinity);
    });
  });

  test('no tokens give no tokens, and empty gradients', () => {
    const x = tf.zeros([2, 0, 4]);
    const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
      localAttention(q, k, v, {windowSize: 5, implementation: 'fused'});
    const {value, grads} = tf.valueAndGrads(f)([x, x, x], x);
    expect([value, ...grads].map(({shape}) => shape)).toEqual(Array(4).fill([2, 0, 4]));
  });

  test('memory that grows during a call moves nothing from under it', async () => {
    const config = {windowSize: 16, causal: true, implementation: 'fused'} as const;
    const heap = () => {
      const {wasm} = tf.backend() as unknown as {wasm?: {HEAPU8: Uint8Array}};
      return wasm?.HEAPU8.buffer.byteLength ?? 0;
    };
    const x = tf.randomUniform([1, 64, 8], -1, 1, 'float32', 2);
    const small = await localAttention(x, x, x, config).data<'float32'>();
    let grown = false;
    for (let copies = 512; copies <= 32768 && !grown; copies *= 4) {
      const many = tf.tile(x, [copies, 1, 1]);
      const size = heap();
      const out = localAttention(many, many, many, config);
      grown = heap() > size || program.backend === 'cpu'; // whose kernels have their own memory
      const last = tf.slice(out, [copies - 1, 0, 0], [1, 64, 8]);
      expect(await last.data()).toEqual(small);
      expect(await tf.slice(out, [0, 0, 0], [1, 64, 8]).data()).toEqual(small);
      tf.dispose([many, out, last]);
    }
    expect(grown).toBe(true);
  });

  test('a second derivative is an error that says what to do', () => {
    const x = tf.randomUniform([2, 10, 4]);
    const f = (q: tf.Tensor) =>
      tf.sum(localAttention(q, x, x, {windowSize: 5, implementation: 'fused'}));
    const g = tf.grad(f);
    expect(() => tf.grad((q: tf.Tensor) => tf.sum(tf.square(g(q))))(x)).toThrow(
      "no second derivative; use implementation: 'composite'",
    );
    // TF.js keeps what was saved for a gradient that threw
    tf.engine().endScope();
    before = living();
    tf.engine().startScope();
  });
});

type Inputs = Record<'q' | 'k' | 'v', Values>;

function inputs(): Inputs {
  const random = generator(3);
  const make = () => uniform(random, [HEADS, N, D]);
  return {q: make(), k: make(), v: make()};
}

/** The output and the gradients of the fused kernel. */
async function run(
  config: LocalAttentionArgs,
  {q, k, v}: Inputs,
  call: LocalAttentionCall = {},
  dout = uniform(generator(4), [HEADS, N, D]),
) {
  const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
    localAttention(q, k, v, {...config, autopad: true, implementation: 'fused'}, call);
  const {value, grads} = tf.valueAndGrads(f)([q, k, v].map(tensor), tensor(dout));
  const [out, ...rest] = await Promise.all([value, ...grads].map((x) => x.data<'float32'>()));
  return {out, grads: rest};
}

/** Output and logsumexp of the kernel itself. */
function kernel(config: LocalAttentionArgs, mask: tf.Tensor): tf.Tensor[] {
  const {q, k, v} = inputs();
  const w = config.windowSize;
  const attrs = {b: HEADS, n: N, d: D, dv: D, w, back: 0, forward: 0, context: w, causal: false, exact: false, sharedQk: false, scale: 1, rotary: false, xposBase: null, heads: 1, dropout: 0, seed: 0, names: ['q', 'k', 'v', 'mask']}; // prettier-ignore
  const tensors = [...[q, k, v].map(tensor), mask] as unknown as tf.NamedTensorMap;
  return tf.engine().runKernel('LocalAttention', tensors, attrs as never) as tf.Tensor[];
}

function put(x: Values, at: {head: number; token: number; channel: number}, value: number) {
  (x.data as Float64Array)[(at.head * N + at.token) * D + at.channel] = value;
}

/** A row is head · N + token. */
function rowOf(x: ArrayLike<number>, row: number): number[] {
  return Array.from({length: D}, (_, c) => x[row * D + c]);
}

function rowsWhere(holds: (head: number, token: number) => boolean): number[] {
  const rows = Array.from({length: HEADS * N}, (_, row) => row);
  return rows.filter((row) => holds(Math.floor(row / N), row % N));
}

/** The rows that hold NaN or infinities. */
function spoiltRows(x: ArrayLike<number>): number[] {
  return rowsWhere((head, token) => !rowOf(x, head * N + token).every(Number.isFinite));
}

function queries(): number[] {
  return Array.from({length: N}, (_, i) => i);
}

/** Which channels are marked: one, or all. */
function channels(marked?: number): boolean[] {
  return Array.from({length: D}, (_, c) => marked === undefined || c === marked);
}

/** The definition, without a mask. */
function sees(config: LocalAttentionArgs, i: number, j: number): boolean {
  const {windowSize: w, causal, exactWindowsize} = config;
  const lookBackward = config.lookBackward ?? 1;
  const lookForward = config.lookForward ?? (causal ? 0 : 1);
  const windows = Math.floor(j / w) - Math.floor(i / w);
  if (windows < -lookBackward || windows > lookForward || (causal && j > i)) return false;
  return !exactWindowsize || (i - j <= lookBackward * w && j - i <= lookForward * w);
}

/** Whether a key has weight: with sharedQk a token that sees others takes nothing of itself. */
function takes(config: LocalAttentionArgs, i: number, j: number): boolean {
  return sees(config, i, j) && !(config.sharedQk === true && i === j && i > 0);
}
