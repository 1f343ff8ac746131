/** Our BatchMatMul against loops in float64, and against that of TF.js. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

import {useBackend} from '../support/backends';
import {living} from '../support/close';
import {watchHeap} from '../support/heap';
import {
  BUILDS,
  Operands,
  describeEach,
  TRANSPOSES,
  kernels,
  multiplied,
  operands,
  sumBound,
  withOurs,
} from '../support/products';

describeEach('on %s', (backend) =>
  describe.each(BUILDS)('%s', (build) => {
    beforeAll(async () => {
      await useBackend(backend);
      tf.env().set('LOCAL_ATTENTION_WASM_BUILD', build);
    });
    afterAll(() => tf.env().set('LOCAL_ATTENTION_WASM_BUILD', 'auto'));

    /** Our product, which must be as near to the loops as its roundings allow. */
    function check({a, b, ...transposes}: Operands): tf.Tensor {
      const c = kernels(backend, 'BatchMatMul').always({a, b}, transposes);
      const {shape, data, bounds} = multiplied({a, b, ...transposes});
      expect(c.shape).toEqual(shape);
      expect(c.dtype).toBe('float32');
      const values = c.dataSync();
      const far = values.findIndex((value, at) => !(Math.abs(value - data[at]) <= bounds[at]));
      if (far >= 0) throw new Error(`of [${a.shape}] and [${b.shape}], ${JSON.stringify(transposes)}: at ${far} got ${values[far]}, want ${data[far]} ± ${bounds[far]}`); // prettier-ignore
      return c;
    }

    const size = fc.integer({min: 1, max: 40});
    const axis = fc.constantFrom('both', 'a', 'b', 'only a', 'only b');
    const batch = fc.array(fc.tuple(fc.integer({min: 1, max: 3}), axis), {maxLength: 3});
    const sizes = fc.tuple(size, fc.integer({min: 1, max: 130}), size);
    const random = fc.record({batch, sizes, transposes: fc.constantFrom(...TRANSPOSES)});
    test('150 random products, of any broadcast and any transposes, are those of the loops', () => {
      fc.assert(
        fc.property(random, ({batch, sizes, transposes}) => {
          const before = living();
          tf.tidy(() => void check(operands(batchesOf(batch), sizes, transposes)));
          expect(living()).toEqual(before);
        }),
        {numRuns: 150, seed: 11},
      );
    });

    // rows and columns around a tile and a block, steps around a run of them
    const AROUND = [
      [1, 1, 1],
      [1, 513, 1],
      [3, 512, 8],
      [4, 511, 9],
      [5, 1100, 7],
      [63, 12, 65],
      [65, 700, 63],
      [130, 5, 129],
      [17, 2051, 19],
      [2, 3, 1030],
      [1030, 3, 2],
    ];
    test.each(AROUND)('%d × %d by %d, on the edges of blocks', (...sizes) => {
      for (const transposes of TRANSPOSES) {
        tf.tidy(() => void check(operands([[], []], sizes, transposes)));
      }
    });

    test('what TF.js computes too is the same, up to the roundings of both', () => {
      const {theirs} = kernels(backend, 'BatchMatMul');
      for (const transposes of TRANSPOSES) {
        for (const batches of [
          [[], []],
          [[3], [1]],
          [[2, 3], [3]],
          [[1], [4]],
        ]) {
          tf.tidy(() => {
            const given = operands(batches, [21, 150, 13], transposes);
            const known = theirs({a: given.a, b: given.b}, given);
            const found = check(given).dataSync();
            const {shape, bounds} = multiplied(given);
            expect(known.shape).toEqual(shape);
            const far = known.dataSync().filter((value, at) => !(Math.abs(found[at] - value) <= 2 * bounds[at])); // prettier-ignore
            expect(Array.from(far)).toEqual([]);
          });
        }
      }
    });

    test('two axes of a batch may be broadcast crosswise, which TF.js gets wrong', () => {
      const {theirs, shipped, handedOn} = kernels(backend, 'BatchMatMul');
      tf.tidy(() => {
        const crossed = operands(
          [
            [2, 3],
            [2, 1],
          ],
          [2, 3, 2],
          [false, false],
        );
        const {data} = multiplied(crossed);
        const differences = (c: tf.Tensor) => Array.from(c.dataSync()).filter((value, at) => Math.abs(value - data[at]) > 1e-5).length; // prettier-ignore
        const attrs = {transposeA: false, transposeB: false};
        expect(differences(theirs({a: crossed.a, b: crossed.b}, attrs))).toBeGreaterThan(0);
        expect(differences(shipped({a: crossed.a, b: crossed.b}, attrs))).toBe(0);
        check(
          operands(
            [
              [2, 1],
              [1, 3],
            ],
            [2, 3, 2],
            [true, false],
          ),
        );
      });
      expect(handedOn).not.toHaveBeenCalled();
    });

    test('NaN, infinities and zeros meet as in TF.js: 0 · ∞ is NaN', () => {
      const {theirs} = kernels(backend, 'BatchMatMul');
      for (const transposes of TRANSPOSES) {
        tf.tidy(() => {
          const odd = [NaN, Infinity, -Infinity, 0, -0, 1, -2, 0.5];
          const values = (count: number, every: number) => Float32Array.from({length: count}, (_, at) => odd[(at * at) % every === 1 ? at % 8 : 3 + (at % 5)]); // prettier-ignore
          const given = operands([[], []], [23, 9, 26], transposes);
          const a = tf.tensor(values(given.a.size, 29), given.a.shape);
          const b = tf.tensor(values(given.b.size, 31), given.b.shape);
          const attrs = {transposeA: given.transposeA, transposeB: given.transposeB};
          const known = Array.from(theirs({a, b}, attrs).dataSync());
          expect(new Set(known.map(Number.isFinite)).size).toBe(2);
          expect(known).toContain(Infinity);
          expect(known.some(Number.isNaN)).toBe(true);
          // whole and half numbers: no sum is rounded, and zeros compare by their sign elsewhere
          const found = kernels(backend, 'BatchMatMul').always({a, b}, attrs).dataSync();
          expect(Array.from(found, (x) => x + 0)).toEqual(known.map((x) => x + 0));
        });
      }
    });

    test('gradients are those of TF.js', () => {
      for (const [transposeA, transposeB] of TRANSPOSES) {
        tf.tidy(() => {
          const {a, b} = operands([[2], [2]], [31, 60, 17], [transposeA, transposeB]);
          const dy = tf.randomUniform([2, 31, 17], -1, 1, 'float32', 3);
          const product = (a: tf.Tensor, b: tf.Tensor) => tf.matMul(a, b, transposeA, transposeB);
          const gradients = () =>
            tf
              .grads(product)([a, b], dy)
              .map((x) => Array.from(x.dataSync()));
          const [known, found] = [gradients().flat(), withOurs(backend, gradients).flat()];
          const apart = found.map((value, at) => Math.abs(value - known[at]));
          expect(Math.max(...apart)).toBeLessThanOrEqual(2 * sumBound(31));
        });
      }
    });

    if (backend === 'wasm')
      test('all that a product takes of the heap is given back', () => {
        const given = operands([[3], []], [70, 600, 90], [true, false]);
        const {always} = kernels(backend, 'BatchMatMul');
        const run = () => always({a: given.a, b: given.b}, {transposeA: true, transposeB: false}).dispose(); // prettier-ignore
        run();
        const heap = watchHeap();
        run();
        heap.stop();
        expect(heap.taken).toBeGreaterThan(2);
        expect([...heap.held]).toEqual([]);
        tf.dispose([given.a, given.b]);
      });
  }),
);

type Axis = 'both' | 'a' | 'b' | 'only a' | 'only b';

/** The batches of A and B: an axis is in both, 1 in one of them, or at the front of one alone. */
function batchesOf(axes: [number, string][]): number[][] {
  const sizes = axes as [number, Axis][];
  const of = (other: Axis, alone: Axis) => {
    const own = sizes.map(([size, axis]) => (axis === other || axis === alone ? 1 : size));
    const first = sizes.findIndex(([, axis]) => axis !== alone);
    return first < 0 ? [] : own.slice(first);
  };
  return [of('b', 'only b'), of('a', 'only a')];
}
