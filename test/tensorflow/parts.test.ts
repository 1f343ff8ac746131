/** A call too large for one part gives what it gives in one, and takes no more memory than a part. */
import * as tf from '@tensorflow/tfjs';

import {ready} from '../../src';
import {partsOf} from '../../kernels/tensorflow/parts';
import {keepFactor, seedFrom} from '../../src/attention/dropout';
import {resolveConfig} from '../../src/attention/config';
import {problemOf} from '../../src/attention/problem';
import {useBackend} from '../support/backends';
import {expectClose, living} from '../support/close';
import {digest} from '../support/digest';
import {sumTolerance} from '../support/tolerance';
import {Call, onTensorflow, results} from './on_tensorflow';

const MIB = 2 ** 20;
/** Forward 44 MiB of tensors, in two parts, and backward 87 MiB, in three. */
const SIZES = {leading: [5, 12], n: 1800, d: 22, dv: 30};
const CONFIG = {windowSize: 15, causal: true};

const keeps = (rows: number) => () => {
  const values = Array.from({length: rows * SIZES.n}, (_, at) => Number(at % 7 > 0));
  return {mask: tf.tensor2d(values, [rows, SIZES.n], 'bool')};
};

const CASES: [string, Call][] = [
  ['with a mask for all', {...SIZES, config: CONFIG, call: keeps(1)}],
  ['with a mask for thirty heads', {...SIZES, config: CONFIG, call: keeps(2)}],
  ['with a mask for each head, and dropout', {...SIZES, config: {...CONFIG, dropout: 0.3}, call: () => ({...keeps(60)(), training: true, seed: 2 ** 32 - 1})}], // prettier-ignore
  ['with all options', {...SIZES, bias: 6, config: {windowSize: 15, useXpos: true, sharedQk: true, exactWindowsize: true, dropout: 0.2}, call: () => ({...keeps(5)(), training: true, seed: 6})}], // prettier-ignore
];

onTensorflow('a call in parts', () => {
  test.each(CASES)('%s, gives the bits of cpu, where it is in one', async (_, one) => {
    await useBackend('cpu');
    const whole = results(one);
    const bias = await whole[4]?.data();
    const want = whole.slice(0, 4).map(digest);
    tf.dispose(whole);

    await useBackend('tensorflow');
    const before = living();
    const got = results(one);
    expect(living().tensors - before.tensors).toBe(got.length);
    expect(got.slice(0, 4).map(digest)).toEqual(want);
    // parts are added up one after the other
    if (bias) await expectClose('dbias', got[4], {shape: got[4].shape, data: bias}, sumTolerance(SIZES.n)); // prettier-ignore
    tf.dispose(got);
    expect(living()).toEqual(before);
  });

  test('takes the memory of a part', async () => {
    await useBackend('tensorflow');
    const {Memory} = WebAssembly;
    const memories: WebAssembly.Memory[] = [];
    WebAssembly.Memory = class extends Memory {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        super(descriptor);
        memories.push(this);
      }
    };
    await ready({threads: 1}); // lets go of the memory of the tests before
    tf.dispose(results({...SIZES, config: CONFIG}));
    WebAssembly.Memory = Memory;
    const sizes = memories.map(({buffer}) => buffer.byteLength / MIB);
    expect(sizes).toHaveLength(1);
    expect(sizes[0]).toBeGreaterThan(20);
    expect(sizes[0]).toBeLessThan(42);
  });
});

describe('parts', () => {
  const partsFor = (leading: number[], rows: number | null, heads: number, perToken: number) => {
    const [n, d, w] = [1024, 8, 4];
    const shape = [...leading, n, d];
    const mask = rows && tf.ones([rows, n], 'bool');
    const attnBias = tf.ones([heads, w, 3 * w]);
    const config = resolveConfig('test', {windowSize: w});
    const p = problemOf('test', {q: shape, k: shape, v: shape}, config, {mask, attnBias} as never);
    return partsOf(p, perToken).map(({first, count, problem}) => {
      return [first, count, problem.mask?.shape[0] ?? null];
    });
  };
  const TEN = 1024; // values of a token, so that ten sequences of 1024 tokens fill a part

  test.each([
    ['a small call is one', [3], 3, 1, 1, [[0, 3, 3]]],
    ['one sequence, however large', [1], null, 1, 10 * TEN, [[0, 1, null]]],
    ['of about the same size', [12], null, 1, TEN, [[0, 6, null], [6, 6, null]]],
    ['each of whole rows of the mask', [4, 4], 4, 1, TEN, [[0, 8, 2], [8, 8, 2]]],
    ['each within a row of the mask', [2, 12], 2, 1, TEN, [[0, 6, 1], [6, 6, 1], [12, 6, 1], [18, 6, 1]]],
    ['each with all heads of the bias', [5, 4], null, 4, TEN, [[0, 8, null], [8, 8, null], [16, 4, null]]],
    ['a bias of more heads than fit', [2, 16], 2, 16, TEN, [[0, 16, 1], [16, 16, 1]]],
    ['one where mask and bias do not go together', [6], 2, 2, 4 * TEN, [[0, 6, 2]]],
  ] as const)('%s', (_, leading, rows, heads, perToken, want) => {
    expect(partsFor([...leading], rows, heads, perToken)).toEqual(want);
  }); // prettier-ignore

  test('no token is one part, and no sequence is none', () => {
    const partsOfShape = (shape: number[]) => {
      const p = problemOf('test', {q: shape, k: shape, v: shape}, resolveConfig('test', {windowSize: 4}), {}); // prettier-ignore
      return partsOf(p, TEN).map(({first, count}) => [first, count]);
    };
    expect(partsOfShape([2, 3, 0, 8])).toEqual([[0, 6]]);
    expect(partsOfShape([0, 3, 8, 8])).toEqual([]);
  });

  test('a part drops what the whole call drops of its heads', () => {
    for (const seed of [0, 5, 2 ** 32 - 1]) {
      for (const head of [0, 1, 77, 100_000]) {
        const part = {dropout: 0.5, seed: seedFrom(seed, head)};
        const kept = (p: {dropout: number; seed: number}, head: number) =>
          Array.from({length: 64}, (_, i) => keepFactor(p, head, i % 8, i >> 3));
        expect(kept(part, 0)).toEqual(kept({dropout: 0.5, seed}, head));
        expect(kept(part, 2)).toEqual(kept({dropout: 0.5, seed}, head + 2));
      }
    }
  });
});
