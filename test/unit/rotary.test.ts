/** Rotary and xpos: the PyTorch original's tables, and the laws of a rotation. */
import * as tf from '@tensorflow/tfjs';

import {rotary} from '../../src';
import {BACKENDS, useBackend} from '../support/backends';
import {expectClose, living, tensor} from '../support/close';
import {FixtureTensor, rotaryFixtures} from '../support/fixtures';
import {ROTATED, ROUNDED} from '../support/tolerance';

const {angles, apply, xposScale} = rotary;
const {tables, xpos} = rotaryFixtures();

/** The first half of the last axis, which the other half of a table repeats. */
function half({shape, data}: FixtureTensor): FixtureTensor {
  const [rows, dim] = shape;
  return {shape: [rows, dim / 2], data: data.filter((_, i) => i % dim < dim / 2)};
}

/** Row `index` of a table or of x, as [1, size]. */
function rowOf({shape, data}: FixtureTensor, index: number): FixtureTensor {
  const size = shape[shape.length - 1];
  return {shape: [1, size], data: data.slice(index * size, (index + 1) * size)};
}

/** Numbers in (−1, 1) that repeat for nobody. */
function numbers(shape: number[], seed: number): FixtureTensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return {shape, data: Array.from({length: size}, (_, i) => Math.sin(1 + i * 1.7 + seed * 31))};
}

function dot(a: tf.Tensor, b: tf.Tensor): number {
  const [x, y] = [a, b].map((z) => Array.from(z.dataSync<'float32'>()));
  return x.reduce((sum, value, i) => sum + value * y[i], 0);
}

describe.each(BACKENDS)('%s', (backend) => {
  beforeAll(() => useBackend(backend));
  let before = living();
  beforeEach(() => (before = living()));
  afterEach(() => expect(living()).toEqual(before));

  test.each(tables.map((t) => [t.name, t] as const))(
    'angles and apply give the original’s numbers: %s',
    async (_, {dim, positions, cos, sin, x, rotated}) => {
      for (const [i, offset] of positions.data.entries()) {
        const row = angles(1, dim, {offset});
        await expectClose('cos', row.cos, rowOf(half(cos), i), ROUNDED);
        await expectClose('sin', row.sin, rowOf(half(sin), i), ROUNDED);
        const input = tensor(rowOf(x, i));
        const turned = apply(input, row);
        await expectClose('rotated', turned, rowOf(rotated, i), ROTATED);
        tf.dispose([row.cos, row.sin, input, turned]);
      }
    },
  );

  test.each(tables.map((t) => [t.name, t] as const))(
    'a row does not depend on where its table begins: %s',
    async (_, {dim, positions, cos}) => {
      const first = Math.min(...positions.data.slice(-4));
      const rows = Math.min(Math.max(...positions.data) - first + 1, 20);
      const table = angles(rows, dim, {offset: first});
      for (const [i, position] of positions.data.entries()) {
        if (position < first || position >= first + rows) continue;
        const row = tf.slice(table.cos, [position - first, 0], [1, dim / 2]);
        await expectClose(`cos at ${position}`, row, rowOf(half(cos), i), ROUNDED);
        row.dispose();
      }
      tf.dispose([table.cos, table.sin]);
    },
  );

  test.each(xpos.map((t) => [t.name, t] as const))(
    'xposScale gives the original’s scales and vectors: %s',
    async (_, {dim, context, window, scaleBase, scales, q, k, rotatedQ, rotatedK}) => {
      const made = tf.tidy(() => {
        const scale = xposScale(context, dim, {scaleBase});
        const inverse = xposScale(context, dim, {scaleBase, inverse: true});
        const {cos, sin} = angles(context, dim);
        const last = (x: tf.Tensor) =>
          tf.slice(x, [context - window, 0], [window, dim / 2]) as tf.Tensor2D;
        const ofQuery = {cos: last(cos), sin: last(sin)};
        return {
          scale,
          q: apply(tensor(q), ofQuery, {scale: last(scale)}),
          k: apply(tensor(k), {cos, sin}, {scale: inverse}),
        };
      });
      await expectClose('scale', made.scale, half(scales), ROUNDED);
      await expectClose('q', made.q, rotatedQ, ROTATED + ROUNDED);
      await expectClose('k', made.k, rotatedK, ROTATED + ROUNDED);
      tf.dispose(made);
    },
  );

  test.each([[[7, 6]], [[3, 7, 6]], [[2, 3, 7, 6]], [[2, 1, 3, 7, 6]]])(
    'apply rotates [n, d] of %p alike, whatever leads',
    async (shape) => {
      const input = numbers(shape, 1);
      const [x, table] = [tensor(input), angles(7, 6, {offset: 5})];
      const turned = apply(x, table);
      const want = input.data.map((value, i) => {
        const [m, position] = [i % 3, 5 + (Math.floor(i / 6) % 7)];
        const angle = position * 10000 ** ((-2 * m) / 6);
        const isFirst = i % 6 < 3;
        const other = isFirst ? -input.data[i + 3] : input.data[i - 3];
        return value * Math.cos(angle) + other * Math.sin(angle);
      });
      await expectClose('turned', turned, {shape, data: want}, ROTATED);
      tf.dispose([x, table.cos, table.sin, turned]);
    },
  );

  test('the gradient is the rotation backwards, times the scale', async () => {
    const shape = [2, 5, 4];
    const [x, y] = [tensor(numbers(shape, 2)), tensor(numbers(shape, 3))];
    const [table, back] = [angles(5, 4, {offset: 3}), angles(5, 4, {offset: 3})];
    const minus = tf.neg(back.sin);
    const scale = xposScale(5, 4, {scaleBase: 2});
    const turn = (z: tf.Tensor) => apply(z, table, {scale});
    const [turned, gradient] = [turn(x), tf.grad(turn)(x, y)];
    const backwards = apply(y, {cos: back.cos, sin: minus}, {scale});
    const want = {shape, data: backwards.dataSync()};
    await expectClose('gradient', gradient, want, ROTATED);
    const bound = Math.sqrt(dot(turned, turned) * dot(y, y)); // <Rx, y> = <x, Rᵀy>
    expect(Math.abs(dot(turned, y) - dot(x, gradient))).toBeLessThan(ROTATED * bound);
    tf.dispose([x, y, table.cos, table.sin, back.cos, back.sin, minus, scale, turned]);
    tf.dispose([gradient, backwards]);
  });

  test('rotating by −θ undoes rotating by θ, and lengths stay', async () => {
    const input = numbers([3, 9, 8], 4);
    const [x, table] = [tensor(input), angles(9, 8, {theta: 100})];
    const minus = tf.neg(table.sin);
    const turned = apply(x, table);
    const again = apply(turned, {cos: table.cos, sin: minus});
    await expectClose('x', again, input, 2 * ROTATED);
    expect(Math.abs(dot(turned, turned) / dot(x, x) - 1)).toBeLessThan(2 * ROTATED);
    tf.dispose([x, table.cos, table.sin, minus, turned, again]);
  });

  test('a second gradient is there: of ½‖R x‖², the identity', async () => {
    const input = numbers([5, 4], 5);
    const [x, table] = [tensor(input), angles(5, 4)];
    const norm = (z: tf.Tensor) => tf.sum(tf.square(apply(z, table))) as tf.Scalar;
    const gradient = tf.grad((z) => tf.mul(0.5, tf.sum(tf.square(tf.grad(norm)(z)))));
    const second = gradient(x); // ∇ ½‖2x‖² = 4x
    const want = {shape: input.shape, data: input.data.map((value) => 4 * value)};
    await expectClose('second', second, want, 4 * ROTATED);
    tf.dispose([x, table.cos, table.sin, second]);
  });

  test('no tokens and no batch are no mistake', () => {
    for (const shape of [
      [0, 4],
      [2, 0, 4],
      [0, 3, 4],
    ]) {
      const [x, table] = [tf.zeros(shape), angles(shape[shape.length - 2], 4)];
      const {value, grad} = tf.valueAndGrad((z: tf.Tensor) => apply(z, table))(x, x);
      expect([value.shape, grad.shape]).toEqual([shape, shape]);
      tf.dispose([x, table.cos, table.sin, value, grad]);
    }
  });

  test('one table of a million positions is exact at both ends', () => {
    const length = 1_000_000;
    const {cos, sin} = angles(length, 2);
    const [allCos, allSin] = [cos.dataSync(), sin.dataSync()];
    for (const p of [0, 1, 2, length / 2, length - 2, length - 1]) {
      expect([allCos[p], allSin[p]]).toEqual([Math.fround(Math.cos(p)), Math.fround(Math.sin(p))]);
    }
    tf.dispose([cos, sin]);
  });
});
