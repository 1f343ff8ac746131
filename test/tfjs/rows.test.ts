/** GatherV2 on wasm and UnsortedSegmentSum on cpu against those of TF.js. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

import {GATHER} from '../../kernels/tfjs/gather';
import {SEGMENT_SUM} from '../../kernels/tfjs/unsorted_segment_sum';
import {BACKENDS, useBackend} from '../support/backends';
import {both, expectSame, someValues} from '../support/replaced';

const on = (backend: string) => (BACKENDS.includes(backend) ? describe : describe.skip);

on('wasm')('GatherV2 on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  const shapes = fc.array(fc.integer({min: 1, max: 5}), {minLength: 1, maxLength: 4});
  const ids = fc.array(fc.nat(4), {maxLength: 6});
  test.each(['float32', 'int32', 'bool'] as const)(
    'of %s is bit for bit that of TF.js',
    (dtype) => {
      const {theirs, ours, wasHandedOn} = both(GATHER);
      fc.assert(
        fc.property(shapes, ids, fc.nat(3), fc.boolean(), (shape, drawn, some, fromTheEnd) => {
          const at = some % shape.length;
          const indices = tf.tensor1d(
            drawn.map((id) => id % shape[at]),
            'int32',
          );
          const attrs = {axis: fromTheEnd ? at - shape.length : at, batchDims: 0};
          const x = someValues(shape, dtype);
          const found = ours({x, indices}, attrs);
          expect(wasHandedOn()).toBe(false);
          const known = theirs({x, indices}, attrs);
          expectSame(found, known);
          tf.dispose([x, indices, found, known]);
        }),
        {numRuns: 60, seed: 4},
      );
    },
  );

  test('indices of two axes, and a batch of them, are as by TF.js', () => {
    const {theirs, ours, wasHandedOn} = both(GATHER);
    const x = someValues([2, 5, 3]);
    const indices = tf.tensor2d([4, 0, 1, 1], [2, 2], 'int32');
    for (const batchDims of [0, 1]) {
      const attrs = {axis: 1, batchDims};
      expectSame(ours({x, indices}, attrs), theirs({x, indices}, attrs));
      ours({x, indices}, attrs).dispose();
      expect(wasHandedOn()).toBe(batchDims === 1);
    }
  });

  test.each([-1, 5])('the index %d is refused in the words of TF.js', (wrong) => {
    const inputs = {x: someValues([5, 3]), indices: tf.tensor1d([0, wrong], 'int32')};
    const call = () => both(GATHER).ours(inputs, {axis: 0, batchDims: 0});
    expect(call).toThrow(`the index value ${wrong} is not in [0, 4]`);
  });
});

on('cpu')('UnsortedSegmentSum on cpu', () => {
  beforeAll(() => useBackend('cpu'));

  const sizes = fc.tuple(fc.nat(7), fc.array(fc.integer({min: 1, max: 4}), {maxLength: 2}));
  test('sums are those of TF.js, with ids that are no segment', () => {
    const {theirs, ours, wasHandedOn} = both(SEGMENT_SUM);
    fc.assert(
      fc.property(sizes, fc.integer({min: 1, max: 5}), ([rows, rest], numSegments) => {
        const x = someValues([rows, ...rest]);
        const segmentIds = tf.tensor1d(Array.from({length: rows}, (_, i) => ((3 * i) % 7) - 1), 'int32'); // prettier-ignore
        const found = ours({x, segmentIds}, {numSegments});
        expect(wasHandedOn()).toBe(false);
        const known = theirs({x, segmentIds}, {numSegments});
        expect([found.shape, found.dtype]).toEqual([known.shape, known.dtype]);
        const [sums, truth] = [found.dataSync(), known.dataSync()];
        sums.forEach((sum, i) => expect(Math.abs(sum - truth[i])).toBeLessThan(1e-6));
        tf.dispose([x, segmentIds, found, known]);
      }),
      {numRuns: 60, seed: 5},
    );
  });

  test.each([
    ['NaN, which TF.js brings to all segments', tf.tensor([1, NaN, 2])],
    ['int32', tf.tensor([1, 2, 3], [3], 'int32')],
  ])('%s is handed on', (_, x) => {
    const {theirs, ours, wasHandedOn} = both(SEGMENT_SUM);
    const segmentIds = tf.tensor1d([0, 1, 0], 'int32');
    const found = ours({x, segmentIds}, {numSegments: 2});
    expect(wasHandedOn()).toBe(true);
    expectSame(found, theirs({x, segmentIds}, {numSegments: 2}));
  });
});
