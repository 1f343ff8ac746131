/** Our Sum against that of TF.js, and against sums in float64. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

import {SUM} from '../../kernels/tfjs/sum';
import {useBackend} from '../support/backends';
import {expectClose, living} from '../support/close';
import {both, describeInMemory, expectSame, shapes, someValues} from '../support/replaced';
import {sumTolerance} from '../support/tolerance';

/** Σ over the axes, in float64, and Σ of what is added without signs. */
function loops(x: tf.Tensor, axes: number[]): {sums: number[]; sizes: number[]} {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const strides = [...tf.util.computeStrides(x.shape), 1].slice(-x.shape.length);
  const count = kept.reduce((product, axis) => product * x.shape[axis], 1);
  const [sums, sizes] = [new Array<number>(count).fill(0), new Array<number>(count).fill(0)];
  x.dataSync().forEach((value, i) => {
    const to = kept.reduce((at, axis) => at * x.shape[axis] + (Math.floor(i / strides[axis]) % x.shape[axis]), 0); // prettier-ignore
    sums[to] += value;
    sizes[to] += Math.abs(value);
  });
  return {sums, sizes};
}

describeInMemory('Sum on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  async function check(shape: number[], axes: number[], keepDims: boolean) {
    const {theirs, ours} = both(SUM);
    const before = living();
    const x = someValues(shape);
    const attrs = {axis: axes.map((axis) => axis - shape.length), keepDims};
    const [found, known] = [ours({x}, attrs), theirs({x}, attrs)];
    expect({shape: found.shape, dtype: found.dtype}).toEqual({shape: known.shape, dtype: known.dtype}); // prettier-ignore
    const {sums, sizes} = loops(x, axes);
    // as a part of the largest of what is added
    const tolerance = sumTolerance(x.size) * (Math.max(...sizes) / (Math.max(...sums.map(Math.abs)) || 1)); // prettier-ignore
    await expectClose('sum', found, {shape: known.shape, data: sums}, tolerance);
    await expectClose("TF.js's", known, {shape: known.shape, data: sums}, tolerance);
    tf.dispose([x, found, known]);
    expect(living()).toEqual(before);
  }

  test('over any axes of any shape is as by TF.js and by loops', async () => {
    const cases = shapes(1, 5).chain((shape) =>
      fc.tuple(fc.constant(shape), fc.subarray([...shape.keys()]), fc.boolean()),
    );
    const some = cases.filter(([shape]) => !shape.includes(0));
    await fc.assert(
      fc.asyncProperty(some, ([shape, axes, keepDims]) => check(shape, axes, keepDims)),
      {numRuns: 150, seed: 12},
    );
  });

  test.each([
    [[1031], [0]],
    [[3, 1031], [1]],
    [[1031, 3], [0]],
    [
      [1, 517, 33],
      [0, 1],
    ],
    [[2, 517, 35], [1]],
  ])('of %j over %j, long ones', (shape, axes) => check(shape, axes, false));

  test('of nothing is 0, which TF.js leaves unwritten', () => {
    const {ours} = both(SUM);
    const poison = tf.fill([64], NaN);
    poison.dispose();
    expect([...ours({x: someValues([0])}, {axis: [0]}).dataSync()]).toEqual([0]);
    expect([...ours({x: someValues([3, 0])}, {axis: [1]}).dataSync()]).toEqual([0, 0, 0]);
    expect([...ours({x: someValues([0, 3])}, {axis: [0]}).dataSync()]).toEqual([0, 0, 0]);
    expect(ours({x: someValues([0, 3])}, {axis: [1]}).shape).toEqual([0]);
  });

  test('of integers, and over axes that lie apart, is TF.js’s', () => {
    const {theirs, ours, wasHandedOn} = both(SUM);
    const [whole, x] = [someValues([3, 4], 'int32'), someValues([3, 4, 5])];
    expectSame(ours({x: whole}, {axis: [0]}), theirs({x: whole}, {axis: [0]}));
    ours({x: whole}, {axis: [0]});
    expect(wasHandedOn()).toBe(true);
    ours({x}, {axis: [0, 1]});
    expect(wasHandedOn()).toBe(false);
    expectSame(ours({x}, {axis: [0, 2]}), theirs({x}, {axis: [0, 2]}));
    ours({x}, {axis: [0, 2]});
    expect(wasHandedOn()).toBe(true);
  });

  test('takes NaN and infinities where they belong', () => {
    const {ours} = both(SUM);
    const x = tf.tensor([1, NaN, 3, Infinity, 2, 5, 6, 7, -Infinity, Infinity, 8, -Infinity], [3, 4]); // prettier-ignore
    expect([...ours({x}, {axis: [0]}).dataSync()]).toEqual([-Infinity, NaN, 17, NaN]);
    expect([...ours({x}, {axis: [1]}).dataSync()]).toEqual([NaN, 20, NaN]);
  });
});
