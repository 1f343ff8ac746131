/** Which products are ours, and that all others are TF.js's as they were. */
import * as tf from '@tensorflow/tfjs';

import {ready} from '../../src';
import {useBackend} from '../support/backends';
import {living} from '../support/close';
import {describeEach, kernels, multiplied, operands} from '../support/products';

const PLAIN = {transposeA: false, transposeB: false};
const ACROSS = {transposeA: true, transposeB: false};

describeEach('on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  const product = () => kernels(backend, 'BatchMatMul');

  // on wasm TF.js answers a sum of nothing by what memory holds, and an empty batch by a trap
  const BROKEN: [string, number[], number[]][] = [
    ['nothing to sum', [3, 0], [0, 4]],
    ['an empty batch', [0, 2, 3], [3, 4]],
  ];
  test.each([
    ['no rows', [0, 3], [3, 4]],
    ['no columns', [2, 3], [3, 0]],
    ['small', [8, 8], [8, 8]],
    ...(backend === 'wasm' ? [] : BROKEN),
  ])('what is %s is handed on', (_, shapeOfA, shapeOfB) => {
    const {shipped, theirs, handedOn} = product();
    tf.tidy(() => {
      const inputs = {a: tf.ones(shapeOfA), b: tf.ones(shapeOfB)};
      const [found, known] = [shipped(inputs, PLAIN), theirs(inputs, PLAIN)];
      expect(found.shape).toEqual(known.shape);
      expect(found.dataSync()).toEqual(known.dataSync());
    });
    expect(handedOn).toHaveBeenCalledTimes(1);
  });

  test('what TF.js refuses, it refuses in its own words', () => {
    const {always, theirs} = product();
    const answer = (run: typeof always, inputs: tf.NamedTensorInfoMap) => {
      try {
        return run(inputs, PLAIN).dtype;
      } catch (error) {
        return String(error);
      }
    };
    tf.tidy(() => {
      const ints = tf.ones([40, 40], 'int32');
      for (const inputs of [
        {a: tf.ones([4, 3]), b: tf.ones([4, 3])},
        {a: tf.ones([2, 4, 3]), b: tf.ones([3, 3, 3])},
        {a: ints, b: ints},
      ]) {
        expect(answer(always, inputs)).toBe(answer(theirs, inputs));
      }
    });
  });

  test('what is large is not', () => {
    const {shipped, handedOn} = product();
    tf.tidy(() => {
      const a = tf.ones([64, 70]);
      shipped({a, b: tf.ones([64, 64])}, ACROSS);
      shipped({a, b: tf.ones([70, 64])}, PLAIN);
    });
    expect(handedOn).not.toHaveBeenCalled();
  });

  if (backend === 'wasm')
    test('a row by a matrix is, whose matrix XNNPACK keeps packed', () => {
      const {shipped, handedOn} = product();
      tf.tidy(() => void shipped({a: tf.ones([1, 1024]), b: tf.ones([1024, 1024])}, PLAIN));
      expect(handedOn).toHaveBeenCalledTimes(1);
    });

  test('where memory is short, TF.js computes, and nothing is left behind', async () => {
    await ready({threads: 1}); // lets go of a memory that has grown already
    const {shipped, handedOn} = product();
    const given = operands([[], []], [280, 390, 370], [true, false]);
    const {data} = multiplied(given);
    const before = living();
    const shortages = backend === 'wasm' ? [0, 1, 2, 3, 4].map(shortOfHeap) : [shortOfMemory];
    for (const shortage of shortages) {
      const restore = shortage();
      const c = shipped({a: given.a, b: given.b}, ACROSS);
      restore();
      const far = c.dataSync().filter((x, at) => !(Math.abs(x - data[at]) < 1e-4));
      expect(far).toHaveLength(0);
      c.dispose();
      expect(living()).toEqual(before);
    }
    expect(handedOn).toHaveBeenCalledTimes(shortages.length);
    tf.dispose([given.a, given.b]);
  });

  if (backend === 'wasm')
    test('a backend that is disposed and set again computes again', async () => {
      const given = operands([[], []], [80, 90, 70], [true, false]);
      const values = {a: given.a.dataSync(), b: given.b.dataSync()};
      const known = product().always({a: given.a, b: given.b}, ACROSS).dataSync();
      const factory = tf.findBackendFactory('wasm');
      tf.removeBackend('wasm');
      tf.registerBackend('wasm', factory);
      await useBackend('wasm');
      const again = {a: tf.tensor(values.a, given.a.shape), b: tf.tensor(values.b, given.b.shape)};
      expect(product().always(again, ACROSS).dataSync()).toEqual(known);
    });
});

/** TF.js's heap has no room when it is asked the n-th time; answers how to end that. */
function shortOfHeap(n: number): () => () => void {
  return () => {
    const {wasm} = tf.backend() as unknown as {wasm: {_malloc(bytes: number): number}};
    const {_malloc} = wasm;
    let asked = 0;
    wasm._malloc = (bytes) => (asked++ === n ? 0 : _malloc(bytes));
    return () => void (wasm._malloc = _malloc);
  };
}

/** Our own memory does not grow; answers how to end that. */
function shortOfMemory(): () => void {
  const grow = jest.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
    throw new RangeError('no more');
  });
  return () => grow.mockRestore();
}
