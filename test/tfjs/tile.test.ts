/** Our Tile, and our Identity on wasm, against those of TF.js. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

import {IDENTITY} from '../../kernels/tfjs/identity';
import {TILE} from '../../kernels/tfjs/tile';
import {BACKENDS, useBackend} from '../support/backends';
import {living} from '../support/close';
import {both, describeInMemory, expectSame, someValues} from '../support/replaced';

const onWasm = BACKENDS.includes('wasm') ? describe : describe.skip;

describeInMemory('Tile on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  const tile = () => both(TILE);

  const axis = fc.tuple(fc.integer({min: 0, max: 5}), fc.integer({min: 0, max: 5}));
  const axes = fc.array(axis, {minLength: 0, maxLength: 5});
  test.each(['float32', 'int32', 'bool'] as const)(
    'of %s is bit for bit that of TF.js',
    (dtype) => {
      const {theirs, ours} = tile();
      fc.assert(
        fc.property(axes, (sizes) => {
          const [shape, reps] = [sizes.map(([size]) => size), sizes.map(([, rep]) => rep)];
          const x = someValues(shape, dtype);
          const [known, found] = [theirs({x}, {reps}), ours({x}, {reps})];
          expectSame(found, known);
          tf.dispose([x, known, found]);
        }),
        {numRuns: 60, seed: 3},
      );
    },
  );

  test('keeps NaN, infinities and the sign of zero', () => {
    const x = tf.tensor([NaN, -Infinity, -0, 1]);
    const found = tile()
      .ours({x}, {reps: [2]})
      .dataSync();
    for (const at of [0, 4]) {
      expect([...found.subarray(at, at + 4)].map((value) => Object.is(value, -0))).toEqual([false, false, true, false]); // prettier-ignore
      expect([...found.subarray(at, at + 2)]).toEqual([NaN, -Infinity]);
    }
  });

  test('survives memory that grows for its result', () => {
    const x = tf.range(0, 1000);
    const found = tile().ours({x}, {reps: [20_000]}); // 80 MB
    expect(found.dataSync().at(-1)).toBe(999);
    tf.dispose([x, found]);
  });
});

onWasm('Identity on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  test('shares the values, and outlives the tensor that it is of', () => {
    const {ours} = both(IDENTITY);
    const before = living();
    const x = tf.tensor([1, 2, 3], [3, 1], 'int32');
    const found = ours({x});
    expect(found.dataId).toBe(x.dataId);
    expect([found.shape, found.dtype]).toEqual([[3, 1], 'int32']);
    x.dispose();
    expect([...found.dataSync()]).toEqual([1, 2, 3]);
    found.dispose();
    expect(living()).toEqual(before);
  });

  test('of strings is handed on', () => {
    const theirs = jest.fn(() => []);
    const call = {inputs: {x: tf.tensor(['a', 'b'])}, backend: tf.backend()};
    IDENTITY.make(theirs)(call);
    expect(theirs).toHaveBeenCalledWith(call);
  });
});
