/** How much memory a call takes: linear in the length, and nothing of the scores' size is kept. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../src';
import {useBackend} from './support/backends';
import {expectClose, tensor} from './support/close';
import {generator, uniform} from './support/inputs';
import {outputTolerance} from './support/tolerance';

const B = 2;
const W = 32;
const D = 8;
const N = 256;
const CONFIG = {windowSize: W, implementation: 'composite'} as const;
const CONTEXT = 3 * W;

type Attend = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => tf.Tensor;

const OURS: Attend = (q, k, v) => localAttention(q, k, v, CONFIG);

/** What a user would write: the same windows in ordinary ops, differentiated by tfjs. */
const BY_HAND: Attend = (q, k, v) => {
  const n = q.shape[1]!;
  const windows = n / W;
  const bucket = (x: tf.Tensor) => tf.reshape(x, [B, windows, W, D]);
  const around = (x: tf.Tensor) => {
    const padded = tf.pad(bucket(x), [[0, 0], [1, 1], [0, 0], [0, 0]]); // prettier-ignore
    const shifted = [0, 1, 2].map((shift) => tf.slice(padded, [0, shift, 0, 0], [B, windows, W, D])); // prettier-ignore
    return tf.concat(shifted, 2);
  };
  const exists = around(tf.ones([B, n, D])).slice([0, 0, 0, 0], [B, windows, CONTEXT, 1]);
  const visible = tf.cast(tf.transpose(exists, [0, 1, 3, 2]), 'bool');
  const products = tf.matMul(tf.mul(bucket(q), D ** -0.5), around(k), false, true);
  const weights = tf.softmax(tf.where(visible, products, -1e9));
  return tf.reshape(tf.matMul(weights, around(v)), [B, n, D]);
};

interface Use {
  /** Most bytes at once during the forward, and during the backward. */
  forward: number;
  backward: number;
  /** Bytes held between the two, and the largest tensor among them. */
  kept: number;
  largestKept: number;
}

/**
 * Counts what the cpu backend holds, where nothing is pooled. Not tf.memory, which counts a reshape
 * or a clone once more although they share their bytes.
 */
function watchBytes() {
  const backend = tf.backend() as unknown as {
    write(values: tf.backend_util.BackendValues, ...rest: unknown[]): object;
    disposeData(id: object, force?: boolean): boolean;
  };
  const {write, disposeData} = backend;
  const held = new Map<object, number>();
  const seen = {now: 0, most: 0, largest: () => Math.max(0, ...held.values())};
  backend.write = (values, ...rest) => {
    const id = write.call(backend, values, ...rest);
    const bytes = 4 * (values?.length ?? 0);
    held.set(id, bytes);
    seen.now += bytes;
    seen.most = Math.max(seen.most, seen.now);
    return id;
  };
  backend.disposeData = (id, force) => {
    const gone = disposeData.call(backend, id, force);
    if (gone) {
      seen.now -= held.get(id) ?? 0;
      held.delete(id);
    }
    return gone;
  };
  return {seen, stop: () => Object.assign(backend, {write, disposeData})};
}

/** Bytes above the inputs, in units of the scores' bytes. */
function measure(attend: Attend, n: number): Use {
  const random = generator(n);
  const inputs = [0, 1, 2].map(() => tensor(uniform(random, [B, n, D])));
  const dout = tensor(uniform(random, [B, n, D]));
  const S = 4 * B * n * CONTEXT;
  const {seen, stop} = watchBytes();
  const use: Use = {forward: 0, kept: 0, largestKept: 0, backward: 0};
  const grads = tf.grads((q, k, v) => {
    const out = tf.tidy(() => attend(q, k, v));
    use.forward = seen.most / S;
    use.kept = seen.now / S;
    use.largestKept = seen.largest() / S;
    seen.most = 0;
    return out;
  })(inputs, dout);
  use.backward = seen.most / S;
  stop();
  tf.dispose([inputs, dout, grads]);
  return use;
}

describe('memory on cpu, in units of the scores’ bytes S', () => {
  let ours: Use;
  let byHand: Use;
  beforeAll(async () => {
    await useBackend('cpu');
    [ours, byHand] = [measure(OURS, N), measure(BY_HAND, N)];
    console.log(`localAttention: ${told(ours)}\nby hand: ${told(byHand)}`);
  });

  test('both measured ways give the same numbers', async () => {
    const random = generator(1);
    const [q, k, v] = [0, 1, 2].map(() => tensor(uniform(random, [B, N, D])));
    const want = BY_HAND(q, k, v);
    const plain = localAttention(q, k, v, {...CONFIG, useRotaryPosEmb: false});
    const sizes = {d: D, context: CONTEXT, largestScore: 4};
    const values = {shape: want.shape, data: await want.data()};
    await expectClose('out', plain, values, 2 * outputTolerance(sizes));
  });

  test('between forward and backward no tensor of the scores’ size is kept, only six of q’s', () => {
    expect(ours.largestKept).toBeCloseTo(D / CONTEXT, 6);
    expect(ours.kept).toBeLessThanOrEqual((6 * D) / CONTEXT);
    expect(byHand.largestKept).toBeGreaterThanOrEqual(1);
  });

  test('a longer look keeps nothing more', () => {
    const further: Attend = (q, k, v) => localAttention(q, k, v, {...CONFIG, lookBackward: 3});
    // the units are S of the shorter look
    expect(measure(further, N).kept).toBeCloseTo(ours.kept, 2);
  });

  test('the forward takes two tensors of the scores’ size and the contexts of keys and values', () => {
    const contexts = (2 * D) / W;
    expect(ours.forward).toBeLessThan(2 + contexts);
    expect(ours.forward).toBeLessThan(byHand.forward / 2);
  });

  test('the backward takes three, and less than half of what autodiff takes', () => {
    const contexts = (3 * D) / W;
    expect(ours.backward).toBeLessThan(3 + contexts);
    expect(ours.backward).toBeLessThan(byHand.backward / 2);
  });

  test('twice the tokens take twice the memory, forward and backward', () => {
    const half = measure(OURS, N / 2);
    // S has doubled, so what is measured in it has stayed
    expect(Math.abs(half.forward / ours.forward - 1)).toBeLessThan(0.1);
    expect(Math.abs(half.backward / ours.backward - 1)).toBeLessThan(0.1);
    expect(Math.abs(half.kept / ours.kept - 1)).toBeLessThan(0.1);
  });
});

function told({forward, kept, largestKept, backward}: Use): string {
  const [f, k, l, b] = [forward, kept, largestKept, backward].map((x) => `${x.toFixed(2)} S`);
  return `forward ${f}, kept between ${k} (the largest tensor ${l}), backward ${b}`;
}
