/** Which keys a query sees, by the table of the definition, written here anew. */
import * as tf from '@tensorflow/tfjs';

import {resolveConfig} from '../../src/attention/config';
import {Problem, problemOf} from '../../src/attention/problem';
import {band, diagonal, existing, inBand} from '../../src/attention/visibility';
import {bucket, foldBack, layoutOf, lookAround, unbucket} from '../../src/attention/windows';
import {describeSynchronous, useBackend} from '../support/backends';
import {living} from '../support/close';

interface Shape {
  w: number;
  back: number;
  forward: number;
  causal?: boolean;
  exact?: boolean;
  n?: number;
  b?: number;
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

/** The facts of a call with these sizes; b heads of n tokens. */
function problem({w, back, forward, causal, exact, n = 13, b = 2}: Shape, mask?: tf.Tensor) {
  const config = resolveConfig('test', {
    windowSize: w,
    lookBackward: back,
    lookForward: forward,
    causal,
    exactWindowsize: exact,
    autopad: true,
  });
  const x = [b, n, 2];
  return problemOf('test', {q: x, k: x, v: x}, config, {mask});
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
  const p = problem(shape);
  const {w, back} = shape;
  const query = 100 * w; // far from both ends
  for (let row = 0; row < w; row++) {
    for (let slot = 0; slot < p.context; slot++) {
      const key = query - back * w + slot;
      const inside = inBand(p, row, slot);
      expect({row, slot, inside}).toEqual({
        row,
        slot,
        inside: visible(shape, query + row, key),
      });
    }
  }
});

test('no more windows are laid beside one than the sequence has', () => {
  const layout = layoutOf(problem({w: 3, back: 9, forward: 5, n: 7}));
  expect(layout).toMatchObject({windows: 3, padded: 9, back: 2, forward: 2});
  expect(layout).toMatchObject({context: 15, skipped: 21});
});

describeSynchronous('%s', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(NAMED)('band holds inBand of each row and slot: %s', (_, shape) => {
    const before = living();
    const p = problem(shape);
    const table = band(p);
    const {context, skipped} = layoutOf(p);
    const want = [];
    for (let row = 0; row < p.windowSize; row++) {
      for (let slot = 0; slot < context; slot++) want.push(inBand(p, row, skipped + slot) ? 1 : 0);
    }
    if (table === null) expect(want).not.toContain(0);
    else expect([table.shape, [...table.dataSync()]]).toEqual([[p.windowSize, context], want]);
    table?.dispose();
    expect(living()).toEqual(before);
  });

  test.each(NAMED)('the slot of the diagonal is the query’s own key: %s', (_, shape) => {
    const before = living();
    const p = problem(shape);
    const table = diagonal(p);
    const rows = table.arraySync();
    rows.forEach((row, a) => {
      expect(row.indexOf(1)).toBe(shape.back * shape.w + a);
      expect(row.filter((value) => value !== 0)).toEqual([1]);
    });
    table.dispose();
    expect(living()).toEqual(before);
  });

  const LENGTHS = [1, 3, 12, 13].flatMap((n) => SIZES.map((size) => ({...size, n})));

  test.each(LENGTHS)('a key exists if it is in the sequence: %p', (shape) => {
    const before = living();
    const p = problem(shape);
    const table = tf.tidy(() => existing(p));
    expect(table.shape).toEqual([1, Math.ceil(shape.n / shape.w), 1, layoutOf(p).context]);
    expect([...table.dataSync()]).toEqual(
      keysOf(p).map((key) => (key >= 0 && key < shape.n ? 1 : 0)),
    );
    table.dispose();
    expect(living()).toEqual(before);
  });

  test.each([
    [1, 6],
    [2, 6],
    [3, 6],
    [6, 6],
  ])('a key exists if its mask keeps it: %d rows for %d heads, batch-major', (rows, b) => {
    const before = living();
    const n = 7;
    const keep = Array.from({length: rows * n}, (_, i) => (Math.sin(i * 5) > 0 ? 1 : 0));
    const mask = tf.tensor(keep, [rows, n], 'bool');
    const p = problem({w: 3, back: 1, forward: 1, n, b}, mask);
    const table = tf.tidy(() => existing(p));
    const want = Array.from({length: b}, (_, head) => {
      const row = Math.floor(head / (b / rows));
      return keysOf(p).map((key) => (key >= 0 && key < n ? keep[row * n + key] : 0));
    });
    expect(table.shape).toEqual([b, 3, 1, layoutOf(p).context]);
    expect([...table.dataSync()]).toEqual(want.flat());
    tf.dispose([mask, table]);
    expect(living()).toEqual(before);
  });

  test.each(LENGTHS)('lookAround gives each window the keys of its context: %p', (shape) => {
    const before = living();
    const p = problem(shape);
    const {windows, context} = layoutOf(p);
    const {w} = shape;
    const numbered = Array.from({length: windows * w}, (_, token) => token + 1);
    const x = tf.tensor(numbered, [1, windows, w, 1]) as tf.Tensor4D;
    const around = tf.tidy(() => tf.clone(lookAround(x, p)));
    expect(around.shape).toEqual([1, windows, context, 1]);
    expect([...around.dataSync()]).toEqual(
      keysOf(p).map((key) => (key >= 0 && key < windows * w ? key + 1 : 0)),
    );
    tf.dispose([x, around]);
    expect(living()).toEqual(before);
  });

  test.each(LENGTHS)('foldBack is the transpose of lookAround: %p', (shape) => {
    const before = living();
    const p = problem(shape);
    const {windows, context} = layoutOf(p);
    const {w} = shape;
    // small whole numbers, so that both sums are exact
    const whole = (size: number, seed: number) =>
      Array.from({length: size}, (_, i) => ((i * 7 + seed) % 11) - 5);
    const [x, y] = [whole(2 * windows * w * 3, 1), whole(2 * windows * context * 3, 4)];
    const {around, folded} = tf.tidy(() => ({
      around: tf.clone(lookAround(tf.tensor4d(x, [2, windows, w, 3]), p)),
      folded: tf.clone(foldBack(tf.tensor4d(y, [2, windows, context, 3]), p)),
    }));
    const product = (a: ArrayLike<number>, c: number[]) =>
      c.reduce((sum, value, i) => sum + value * a[i], 0);
    expect(folded.shape).toEqual([2, windows, w, 3]);
    expect(product(around.dataSync(), y)).toBe(product(folded.dataSync(), x)); // <Lx, y> = <x, Fy>
    tf.dispose([around, folded]);
    expect(living()).toEqual(before);
  });

  test('bucket cuts the sequence into windows, and unbucket undoes it', () => {
    const before = living();
    const p = problem({w: 3, back: 1, forward: 0, n: 9});
    const x = tf.tensor3d(Array.from(Array(36).keys()), [2, 9, 2]);
    const cut = bucket(x, p);
    const whole = unbucket(cut);
    expect([cut.shape, whole.shape]).toEqual([[2, 3, 3, 2], [2, 9, 2]]); // prettier-ignore
    expect([...whole.dataSync()]).toEqual([...x.dataSync()]);
    tf.dispose([x, cut, whole]);
    expect(living()).toEqual(before);
  });
});

/** The position of the key in each slot of each window, also beyond the ends. */
function keysOf(p: Problem): number[] {
  const {windows, back, context} = layoutOf(p);
  return Array.from({length: windows * context}, (_, at) => {
    const [window, slot] = [Math.floor(at / context), at % context];
    return (window - back) * p.windowSize + slot;
  });
}
