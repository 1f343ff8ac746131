/** A decoder's outputs are those of the model's forward pass, at every position, however it is fed. */
import * as tf from '@tensorflow/tfjs';

import {LocalTransformerArgs, localTransformer} from '../../src';
import {createDecoder, type Decoder} from '../../models/decoder';
import type {Snapshot} from '../../models/snapshot';
import {BACKENDS, useBackend} from '../support/backends';
import {expectClose, living} from '../support/close';
import {chunkSizes} from '../support/decoding';
import {generator} from '../support/inputs';

const BASE = {
  numTokens: 11,
  maxSeqLen: 60,
  dim: 10,
  depth: 2,
  dimHead: 6,
  heads: 3,
  localAttnWindowSize: 5,
  numResidualStreams: 1,
  seed: 3,
};

const MODES: [string, Partial<LocalTransformerArgs>][] = [
  ['exact', {}],
  ['whole windows', {exactWindowsize: false}],
  ['whole windows, look back 2', {exactWindowsize: false, lookBackward: 2}],
  ['exact, look back 2', {lookBackward: 2}],
  ['exact, look back 0: only itself', {lookBackward: 0}],
  ['whole windows, look back 0', {exactWindowsize: false, lookBackward: 0}],
  ['xpos', {useXpos: true, exactWindowsize: false}],
  ['xpos, exact, of another base', {useXpos: true, xposScaleBase: 3.5}],
  ['a bias by distance', {useDynamicPosBias: true, exactWindowsize: false}],
  ['a bias by distance, exact, look back 2', {useDynamicPosBias: true, lookBackward: 2}],
  ['qkRmsnorm and gates', {qkRmsnorm: true, gateValuesPerHead: true}],
  ['shared qk', {sharedQk: true, exactWindowsize: false}],
  ['shared qk, exact, look back 0', {sharedQk: true, lookBackward: 0}],
  ['four streams', {numResidualStreams: 4}],
  ['no absolute positions', {absolutePositions: false, maxSeqLen: null}],
  ['composite', {implementation: 'composite', exactWindowsize: false}],
  ['window 1', {localAttnWindowSize: 1, depth: 1}],
];

/** The cache of any of these, and three windows. */
const TOKENS = 31;
const TOLERANCE = 1e-5;

const gpu = (backend: string) => backend === 'webgpu' || backend === 'webgl';

/** A GPU compiles anew at each size. */
const modesOn = (backend: string) =>
  gpu(backend) && !process.env.CASES ? MODES.slice(1, 2) : MODES;

function idsOf(batch: number, seed: number, numTokens = 11): number[][] {
  const random = generator(seed);
  return Array.from({length: batch}, () =>
    Array.from({length: TOKENS}, () => Math.floor(random() * numTokens)),
  );
}

const part = (ids: number[][], from: number, to: number) => ids.map((row) => row.slice(from, to));

describe.each(BACKENDS)('%s', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(modesOn(backend))('%s', async (_, options) => {
    const model = localTransformer({...BASE, ...options});
    const ids = idsOf(2, 7);
    const input = tf.tensor2d(ids, undefined, 'int32');
    const whole = model.predict(input) as tf.Tensor3D;
    const want = {shape: whole.shape, data: await whole.data()};
    const decoder = createDecoder(model, {batch: 2});
    for (const seed of [1, 2, 5]) {
      const outputs: tf.Tensor3D[] = [];
      let at = 0;
      for (const size of seed === 1 ? new Array(TOKENS).fill(1) : chunkSizes(TOKENS, 5, seed)) {
        const fed = part(ids, at, (at += size));
        outputs.push(decoder.feed(seed === 5 ? tf.tensor2d(fed, [2, size], 'int32') : fed));
        expect(outputs[outputs.length - 1].shape).toEqual([2, size, 11]);
        expect(decoder.position).toBe(at);
      }
      await expectClose('logits', tf.concat(outputs, 1), want, TOLERANCE);
      decoder.reset();
      expect(decoder.position).toBe(0);
    }
    decoder.dispose();
    model.dispose();
  });

  test('an encoder of vectors gives vectors', async () => {
    const model = localTransformer({...BASE, numTokens: null, numResidualStreams: 2});
    const x = tf.randomNormal<tf.Rank.R3>([1, TOKENS, 10], 0, 1, 'float32', 5);
    const whole = model.predict(x) as tf.Tensor3D;
    const decoder = createDecoder(model);
    const sizes = [4, 1, 0, 20, 1, 1, 4];
    let at = 0;
    const outputs = sizes.map((size) => {
      const fed = tf.slice(x, [0, at, 0], [1, size, 10]);
      at += size;
      return decoder.feed(fed);
    });
    expect(outputs.map(({shape}) => shape[1])).toEqual(sizes);
    const want = {shape: whole.shape, data: await whole.data()};
    await expectClose('outputs', tf.concat(outputs, 1), want, TOLERANCE);
    decoder.dispose();
    model.dispose();
  });

  test('prompts of different lengths, padded on the left, decode side by side as alone', async () => {
    const model = localTransformer({...BASE, absolutePositions: false, exactWindowsize: false});
    const ids = idsOf(3, 9);
    const padding = [0, 13, 6];
    const mask = padding.map((missing) => Array.from({length: TOKENS}, (_, at) => at >= missing));
    const whole = model.apply(tf.tensor2d(ids, undefined, 'int32'), {
      mask: tf.tensor2d(
        mask.map((row) => row.map(Number)),
        undefined,
        'bool',
      ),
    }) as tf.Tensor3D;
    const want = {shape: whole.shape, data: await whole.data()};
    for (const asTensor of [false, true]) {
      const decoder = createDecoder(model, {batch: 3});
      const outputs: tf.Tensor3D[] = [];
      for (const [from, to] of [
        [0, 7],
        [7, 8],
        [8, 15],
      ]) {
        const rows = mask.map((row) => row.slice(from, to));
        const told = asTensor
          ? tf.tensor2d(rows.map((row) => row.map(Number)), undefined, 'bool') // prettier-ignore
          : rows;
        outputs.push(decoder.feed(part(ids, from, to), {mask: told}));
      }
      for (let at = 15; at < TOKENS; at++) outputs.push(decoder.feed(part(ids, at, at + 1)));
      await expectClose('logits', tf.concat(outputs, 1), want, TOLERANCE);
      decoder.dispose();
    }
    model.dispose();
  });

  test('with maskZero, token 0 does not exist, as in the forward pass', async () => {
    const model = localTransformer({...BASE, maskZero: true});
    const ids = idsOf(2, 4, 3);
    const input = tf.tensor2d(ids, undefined, 'int32');
    const whole = model.predict(input) as tf.Tensor3D;
    const want = {shape: whole.shape, data: await whole.data()};
    for (const asTensor of [false, true]) {
      const decoder = createDecoder(model, {batch: 2});
      const outputs = [];
      for (let at = 0, size = 1; at < TOKENS; at += size, size = size === 1 ? 3 : 1) {
        const fed = part(ids, at, at + size);
        outputs.push(decoder.feed(asTensor ? tf.tensor2d(fed, undefined, 'int32') : fed));
      }
      await expectClose('logits', tf.concat(outputs, 1), want, TOLERANCE);
      decoder.dispose();
    }
    model.dispose();
  });

  test('200 steps leave as many tensors, data ids and bytes as there were', () => {
    for (const options of [{}, {useDynamicPosBias: true, numResidualStreams: 2}]) {
      const model = localTransformer({
        ...{...BASE, ...options, absolutePositions: false, maxSeqLen: null},
      });
      const decoder = createDecoder(model);
      const steps = (count: number) => {
        for (let at = 0; at < count; at++) decoder.feed([at % 11]).dispose();
      };
      steps(8);
      const held = living();
      const bytes = tf.memory().numBytes;
      steps(gpu(backend) ? 20 : 200);
      expect({...living(), bytes: tf.memory().numBytes}).toEqual({...held, bytes});
      decoder.dispose();
      model.dispose();
    }
  });

  test('a decoder made, fed, copied and disposed leaves nothing, within a tidy or without', () => {
    const model = localTransformer({...BASE, useDynamicPosBias: true});
    model.predict(tf.zeros([1, 3], 'int32'));
    const before = living();
    const decoder = tf.tidy(() => createDecoder(model, {batch: 2}) as never) as Decoder;
    tf.tidy(() => void decoder.feed([[1, 2], [3, 4]], {mask: [[false, true], [true, true]]})); // prettier-ignore
    const snapshot = tf.tidy(() => decoder.snapshot() as never) as Snapshot;
    tf.tidy(() => void decoder.feed([[5], [6]]));
    tf.tidy(() => decoder.restore(snapshot));
    tf.tidy(() => decoder.reset());
    decoder.feed([[5], [6]]).dispose();
    snapshot.dispose();
    decoder.dispose();
    expect(living()).toEqual(before);
    model.dispose();
  });
});
