/** Which keys a query sees, by the table of the definition, written here anew. */
import * as tf from '@tensorflow/tfjs';

import {resolveConfig} from '../../src/attention/config';
import {Problem, problemOf} from '../../src/attention/problem';
import {inBand} from '../../src/attention/visibility';
import {foldBack, lookAround} from '../../src/attention/windows';
import {BACKENDS, useBackend} from '../support/backends';
import {living} from '../support/close';

interface Shape {
  w: number;
  back: number;
  forward: number;
  causal?: boolean;
  exact?: boolean;
  n?: number;
}

const SIZES = [
  {w: 1, back: 0, forward: 0},
  {w: 1, back: 2, forward: 1},
  {w: 3, back: 0, forward: 0},
  {w: 3, back: 1, forward: 0},
  {w: 3, back: 0, forward: 2},
  {w: 4, back: 1, forward: 1},
  {w: 2, back: 3, forward: 2},
];
const MODES: Shape[] = SIZES.flatMap((size) =>
  [false, true].flatMap((exact) => [
    {...size, exact},
    {...size, exact, causal: true, forward: 0},
  ]),
);
const NAMED = MODES.map((shape) => {
  const {w, back, forward, causal, exact} = shape;
  const kind = `${exact ? 'exact' : 'blocks'}, ${causal ? 'causal' : 'bidirectional'}`;
  return [`${kind}, windows of ${w}, ${back} back, ${forward} forward`, shape] as const;
});

/** A call with these sizes, of two heads. */
function problem({w, back, forward, causal, exact, n = 13}: Shape): Problem {
  const config = resolveConfig('test', {
    windowSize: w,
    lookBackward: back,
    lookForward: forward,
    causal,
    exactWindowsize: exact,
    autopad: true,
  });
  const shape = [2, n, 2];
  return problemOf('test', {q: shape, k: shape, v: shape}, config, {});
}

/** Row by row of semantics' table: whether the query at i sees the key at j. */
function visible({w, back, forward, causal, exact}: Shape, i: number, j: number): boolean {
  const windows = Math.floor(j / w) - Math.floor(i / w);
  if (causal && exact) return -back <= windows && j <= i && i - j <= back * w;
  if (causal) return -back <= windows && j <= i;
  if (exact) return -forward * w <= i - j && i - j <= back * w;
  return -back <= windows && windows <= forward;
}

test.each(NAMED)('inBand is the table of visible keys: %s', (_, shape) => {
  const {w, back, forward} = shape;
  const p = problem(shape);
  const query = 100 * w; // far from both ends
  for (let row = 0; row < w; row++) {
    for (let slot = 0; slot < (1 + back + forward) * w; slot++) {
      const key = query - back * w + slot;
      const inside = inBand(p, row, slot);
      expect({row, slot, inside}).toEqual({row, slot, inside: visible(shape, query + row, key)});
    }
  }
});

describe.each(BACKENDS)('%s', (backend) => {
  beforeAll(() => useBackend(backend));
  const LENGTHS = [1, 3, 12, 13].flatMap((n) => SIZES.map((size) => ({...size, n})));

  test.each(LENGTHS)('foldBack is the transpose of lookAround: %p', (shape) => {
    const before = living();
    const p = problem(shape);
    const windows = Math.ceil(shape.n / shape.w);
    // small whole numbers, so that both sums are exact
    const whole = (size: number, seed: number) =>
      Array.from({length: size}, (_, i) => ((i * 7 + seed) % 11) - 5);
    const x = whole(2 * windows * shape.w * 3, 1);
    const around = tf.tidy(() => tf.clone(lookAround(tf.tensor4d(x, [2, windows, shape.w, 3]), p)));
    const y = whole(around.size, 4);
    const folded = tf.tidy(() => tf.clone(foldBack(tf.tensor4d(y, around.shape), p)));
    const product = (a: ArrayLike<number>, c: number[]) =>
      c.reduce((sum, value, i) => sum + value * a[i], 0);
    expect(folded.shape).toEqual([2, windows, shape.w, 3]);
    expect(product(around.dataSync(), y)).toBe(product(folded.dataSync(), x)); // <Lx, y> = <x, Fy>
    tf.dispose([around, folded]);
    expect(living()).toEqual(before);
  });
});
