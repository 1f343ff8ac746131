/** Our gradient of Tile against that of TF.js, and against sums in float64. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

import {TILE_GRADIENT} from '../../kernels/tfjs/tile_gradient';
import {BACKENDS, useBackend} from '../support/backends';
import {living} from '../support/close';
import {EPSILON} from '../support/tolerance';

const theirs = tf.getGradient('Tile');
const ours = TILE_GRADIENT.make(theirs);

const dataOf = (tensor: tf.Tensor) => tensor.data().then((data) => [...data]);

/** dx of a config for a gradient dy of shape reps · shape. */
function gradientBy({gradFunc}: tf.GradConfig, shape: number[], reps: number[], dy: tf.Tensor) {
  return tf.tidy(() => gradFunc(dy, [tf.zeros(shape)], {reps}).x() as tf.Tensor);
}

const product = (sizes: number[]) => sizes.reduce((all, size) => all * size, 1);

/** Σ over repetitions in float64. */
function loops(shape: number[], reps: number[], dy: number[]): number[] {
  const sums = new Array<number>(product(shape)).fill(0);
  dy.forEach((value, at) => {
    let [rest, to, stride] = [at, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const length = shape[axis] * reps[axis];
      to += ((rest % length) % shape[axis]) * stride;
      stride *= shape[axis];
      rest = Math.floor(rest / length);
    }
    sums[to] += value;
  });
  return sums;
}

const valuesOf = (count: number) => Array.from({length: count}, (_, i) => Math.fround(Math.sin(i * i + 1) * 10 ** (i % 5))); // prettier-ignore

describe.each(BACKENDS)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  const axis = fc.tuple(fc.integer({min: 0, max: 4}), fc.integer({min: 1, max: 4}));
  const cases = fc.sample(fc.array(axis, {minLength: 1, maxLength: 4}), {numRuns: 60, seed: 10});
  test('60 random shapes of up to 4 axes, empty ones among them, are as by TF.js and by loops', async () => {
    for (const axes of cases) {
      const [shape, reps] = [axes.map(([size]) => size), axes.map(([, rep]) => rep)];
      const values = valuesOf(product(shape) * product(reps));
      const dy = tf.tensor(
        values,
        shape.map((size, i) => size * reps[i]),
      );
      const got = gradientBy(ours, shape, reps, dy);
      expect(got.shape).toEqual(shape);
      const known = await dataOf(gradientBy(theirs, shape, reps, dy));
      const tolerance = 2 * EPSILON * product(reps) * 1e4;
      const [found, truth] = [await dataOf(got), loops(shape, reps, values)];
      expect(found).toHaveLength(truth.length);
      found.forEach((value, i) => {
        expect(Math.abs(value - truth[i])).toBeLessThanOrEqual(tolerance);
        expect(Math.abs(value - known[i])).toBeLessThanOrEqual(2 * tolerance);
      });
      tf.dispose([dy, got]);
    }
  });

  test('a scale over many rows is a few kernels, where TF.js runs two a row', async () => {
    const dy = tf.ones([2, 65, 3]);
    const {kernels} = await tf.profile(() => gradientBy(ours, [1, 1, 3], [2, 65, 1], dy));
    expect(kernels.length).toBeLessThanOrEqual(6);
    expect(await dataOf(gradientBy(ours, [1, 1, 3], [2, 65, 1], dy))).toEqual([130, 130, 130]);
  });

  test('NaN and infinities of a repetition reach their number, and no other', async () => {
    const dy = tf.tensor([1, NaN, Infinity, 2, 3, 4, -Infinity, 5], [8]);
    expect(await dataOf(gradientBy(ours, [4], [2], dy))).toEqual([4, NaN, NaN, 7]);
  });

  test('no repetition at all gives zeros, and a scalar its own gradient', async () => {
    expect(await dataOf(gradientBy(ours, [3], [0], tf.zeros([0])))).toEqual([0, 0, 0]);
    expect(await dataOf(gradientBy(ours, [], [], tf.scalar(7)))).toEqual([7]);
  });

  test('five axes have a gradient, which TF.js has not', async () => {
    const shape = [2, 1, 3, 1, 2];
    const [reps, values] = [[1, 2, 2, 3, 1], valuesOf(144)];
    const dy = tf.tensor(values, [2, 2, 6, 3, 2]);
    const found = await dataOf(gradientBy(ours, shape, reps, dy));
    loops(shape, reps, values).forEach((truth, i) => expect(Math.abs(found[i] - truth)).toBeLessThan(0.1)); // prettier-ignore
    expect(() => gradientBy(theirs, shape, reps, dy)).toThrow(/not implemented for rank/);
  });

  test('nothing is left behind', () => {
    const dy = tf.ones([6, 4]);
    const before = living();
    gradientBy(ours, [3, 1], [2, 4], dy).dispose();
    expect(living()).toEqual(before);
  });
});
