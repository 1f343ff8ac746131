/** Kernels of ours that compute nothing, Slice, SplitV, Transpose, and on wasm Cast and Concat: TF.js's bits. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

import {CONCAT} from '../../kernels/tfjs/concat';
import {CAST} from '../../kernels/tfjs/identity';
import {SLICE, SPLIT} from '../../kernels/tfjs/slice';
import {TRANSPOSE} from '../../kernels/tfjs/transpose';
import {useBackend} from '../support/backends';
import {
  both,
  current,
  describeInMemory,
  expectSame,
  leavesNothing,
  shapes,
  someValues,
} from '../support/replaced';

const DTYPES = ['float32', 'int32', 'bool'] as const;
const RUNS = {numRuns: 80, seed: 11};

describeInMemory('on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  leavesNothing();

  describe.each(DTYPES)('of %s', (dtype) => {
    test('any part of any shape is cut out', () => {
      const {theirs, ours} = both(SLICE);
      const cuts = shapes(1, 5, 20).chain((shape) =>
        fc.tuple(
          fc.constant(shape),
          fc.tuple(...shape.map((size) => fc.tuple(fc.nat(size), fc.nat(size)))),
        ),
      );
      const check = ([shape, ends]: [number[], [number, number][]]) => {
        const x = someValues(shape, dtype);
        const begin = ends.map((two) => Math.min(...two));
        const size = ends.map((two, axis) => Math.abs(two[0] - two[1]) || (begin[axis] < shape[axis] ? -1 : 0)); // prettier-ignore
        expectSame(ours({x}, {begin, size}), theirs({x}, {begin, size}));
      };
      fc.assert(fc.property(cuts, check), RUNS);
    });

    test('any axis is split, into equal parts and into others', () => {
      const theirFunc = tf.getKernel('SplitV', backend).kernelFunc;
      const [theirs, ours] = [theirFunc, current(SPLIT).make(theirFunc)].map(
        (func) => (x: tf.Tensor, attrs: tf.NamedAttrMap) =>
          (func({inputs: {x}, attrs, backend: tf.backend()}) as tf.TensorInfo[]).map((info) =>
            tf.engine().makeTensorFromTensorInfo(info),
          ),
      );
      const splits = fc.tuple(shapes(1, 4, 6), fc.nat(3), fc.integer({min: 1, max: 3}));
      const check = ([shape, drawn, parts]: [number[], number, number]) => {
        const axis = drawn % shape.length;
        const x = someValues(shape.map((size, at) => (at === axis ? size * parts : size)), dtype); // prettier-ignore
        for (const sizes of [parts, [1, -1], [0, shape[axis] * parts]]) {
          if (Array.isArray(sizes) && shape[axis] === 0) continue;
          const attrs = {numOrSizeSplits: sizes, axis: axis - shape.length};
          const known = theirs(x, attrs);
          ours(x, attrs).forEach((part, at) => expectSame(part, known[at]));
        }
      };
      fc.assert(fc.property(splits, check), RUNS);
    });

    if (backend !== 'wasm') return;
    test('any tensors are put together along any axis, by TF.js if one is empty', () => {
      const {theirs, ours, wasHandedOn} = both(CONCAT);
      const joins = fc.tuple(shapes(1, 4, 5), fc.nat(3), fc.array(fc.integer({min: 0, max: 70}), {minLength: 1, maxLength: 4})); // prettier-ignore
      const check = ([shape, drawn, lengths]: [number[], number, number[]]) => {
        const axis = drawn % shape.length;
        const along = (length: number) => shape.map((size, at) => (at === axis ? length : size));
        const inputs = Object.fromEntries(lengths.map((length, i) => [i, someValues(along(length), dtype)])); // prettier-ignore
        const list = Object.values(inputs) as unknown as typeof inputs; // TF.js has an array here
        const attrs = {axis: axis - shape.length};
        const found = ours(list, attrs);
        const isEmpty = along(1).includes(0) || lengths.includes(0);
        expect(wasHandedOn()).toBe(isEmpty || lengths.length === 1 || dtype !== 'float32');
        if (!along(1).includes(0) && lengths.some((length) => length > 0)) expectSame(found, theirs(list, attrs)); // prettier-ignore
      };
      fc.assert(fc.property(joins, check), RUNS);
    });

    test('a cast to the dtype that is there shares the values, another is TF.js’s', () => {
      const {theirs, ours, wasHandedOn} = both(CAST);
      const x = someValues([3, 5], dtype);
      expect(ours({x}, {dtype}).dataId).toBe(x.dataId);
      expect(wasHandedOn()).toBe(false);
      const other = dtype === 'float32' ? 'int32' : 'float32';
      const known = theirs({x}, {dtype: other});
      expectSame(ours({x}, {dtype: other}), known);
      expect(wasHandedOn()).toBe(true);
    });
  });

  test('axes are exchanged in any way, ours where it turns rows into columns', () => {
    const {theirs, ours, wasHandedOn} = both(TRANSPOSE);
    const turns = shapes(1, 5, 9).chain(
      (shape) =>
      fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], {minLength: shape.length})), // prettier-ignore
    );
    const check = ([shape, perm]: [number[], number[]]) => {
      const x = someValues(shape);
      const found = ours({x}, {perm});
      if (!shape.includes(0)) expectSame(found, theirs({x}, {perm})); // it divides by zero
      expect(found.shape).toEqual(perm.map((axis) => shape[axis]));
    };
    for (const [shape, perm] of [
      [
        [5, 7],
        [0, 1],
      ],
      [
        [1, 5, 1, 7],
        [1, 2, 3, 0],
      ],
    ]) {
      const x = someValues(shape);
      expect(ours({x}, {perm}).dataId).toBe(x.dataId); // the values stay where they are
      check([shape, perm]);
    }
    fc.assert(fc.property(turns, check), {...RUNS, numRuns: 200});
    for (const [shape, perm] of [
      [
        [5, 7],
        [1, 0],
      ],
      [
        [3, 5, 7],
        [0, 2, 1],
      ],
      [
        [3, 5, 7],
        [1, 2, 0],
      ],
      [
        [2, 3, 1, 8, 3],
        [0, 3, 2, 4, 1],
      ],
      [
        [33, 70],
        [1, 0],
      ],
    ]) {
      const x = someValues(shape);
      const found = ours({x}, {perm});
      expect(wasHandedOn()).toBe(false);
      expectSame(found, theirs({x}, {perm}));
    }
    const x = someValues([2, 3, 5, 7]);
    const found = ours({x}, {perm: [0, 2, 1, 3]});
    expect(wasHandedOn()).toBe(true);
    expectSame(found, theirs({x}, {perm: [0, 2, 1, 3]}));
  });
});
