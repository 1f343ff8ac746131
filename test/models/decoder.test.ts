/** What a decoder promises besides its numbers: values, refusals, and nothing changed by what fails. */
import * as tf from '@tensorflow/tfjs';

import {localTransformer} from '../../src';
import {createDecoder, type Decoder} from '../../models/decoder';
import {describeSynchronous, useBackend} from '../support/backends';
import {living} from '../support/close';
import {type BadCall, expectRefusal} from '../support/refusals';

const CONFIG = {
  numTokens: 7,
  maxSeqLen: 12,
  dim: 6,
  depth: 2,
  dimHead: 4,
  heads: 2,
  localAttnWindowSize: 3,
  numResidualStreams: 1,
  seed: 5,
};

/** What a decoder says of one token now, which it then has been fed. */
const says = (decoder: Decoder, token = 1) => [...tf.tidy(() => decoder.feed([token]).dataSync())];

describeSynchronous('%s', (backend) => {
  beforeAll(() => useBackend(backend));

  test('a snapshot is a value: later feeds do not change it, and it can be gone back to again', () => {
    const model = localTransformer(CONFIG);
    const decoder = createDecoder(model);
    decoder.feed(Int32Array.of(1, 2, 3, 4));
    const snapshot = decoder.snapshot();
    expect(snapshot.position).toBe(4);
    const first = says(decoder, 5);
    for (const token of [6, 0, 2, 3]) says(decoder, token);
    for (let again = 0; again < 2; again++) {
      decoder.restore(snapshot);
      expect(decoder.position).toBe(4);
      expect(says(decoder, 5)).toEqual(first);
      says(decoder, 6);
    }
    const other = createDecoder(model);
    other.feed([3]);
    other.restore(snapshot);
    decoder.dispose();
    expect(says(other, 5)).toEqual(first);
    snapshot.dispose();
    expect(other.position).toBe(5);
    other.dispose();
    model.dispose();
  });

  test('a feed that fails, whichever kernel it is that throws, changes nothing', () => {
    const model = localTransformer({...CONFIG, useDynamicPosBias: true});
    const [decoder, twin] = [createDecoder(model), createDecoder(model)];
    for (const one of [decoder, twin]) {
      one.feed([1, 2, 3, 4]);
      one.feed([5]);
    }
    const runKernel = tf.engine().runKernel.bind(tf.engine());
    let left = Infinity;
    const spy = jest.spyOn(tf.engine(), 'runKernel').mockImplementation((...args) => {
      if (left-- === 0) throw new Error('the device is gone');
      return runKernel(...args);
    });
    const feeds = [() => decoder.feed([6]), () => decoder.feed([6, 0, 1])];
    const snapshot = decoder.snapshot();
    const counts = feeds.map((feed) => {
      spy.mockClear();
      feed().dispose();
      decoder.restore(snapshot);
      return spy.mock.calls.length;
    });
    const held = living();
    feeds.forEach((feed, which) => {
      for (let at = 0; at < counts[which] - 20; at++) {
        left = at;
        expect(feed).toThrow('the device is gone');
        left = Infinity;
        expect({at, position: decoder.position, ...living()}).toEqual({at, position: 5, ...held});
      }
    });
    spy.mockRestore();
    expect(says(decoder, 6)).toEqual(says(twin, 6));
    expect(says(decoder, 2)).toEqual(says(twin, 2));
    snapshot.dispose();
    decoder.dispose();
    twin.dispose();
    model.dispose();
  });

  test('weights are read at each feed, the bias by distance too', () => {
    const model = localTransformer({...CONFIG, useDynamicPosBias: true});
    const decoder = createDecoder(model);
    decoder.feed([1, 2]);
    const snapshot = decoder.snapshot();
    const before = says(decoder, 3);
    for (const name of ['mlp/4/kernel', 'to_hidden/kernel']) {
      const all = model.getWeights();
      const at = model.weights.findIndex((weight) => weight.originalName.endsWith(name));
      const changed = all.map((weight, i) => (i === at ? tf.mul(weight, -3) : weight));
      model.setWeights(changed);
      decoder.restore(snapshot);
      const now = says(decoder, 3);
      expect(now).not.toEqual(before);
      model.setWeights(all.map((weight, i) => (i === at ? tf.div(changed[i], -3) : weight)));
    }
    snapshot.dispose();
    decoder.dispose();
    model.dispose();
  });

  test('a model that tf.loadLayersModel has read decodes as the one that was saved', async () => {
    const model = localTransformer({...CONFIG, numResidualStreams: 2, useDynamicPosBias: true});
    let saved: tf.io.ModelArtifacts;
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return {modelArtifactsInfo: {dateSaved: new Date(), modelTopologyType: 'JSON'}};
      }),
    );
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(saved!));
    const [decoder, other] = [model, loaded].map((one) => createDecoder(one));
    for (const token of [1, 4, 2, 6, 0, 3])
      expect(says(other, token)).toEqual(says(decoder, token));
    decoder.dispose();
    other.dispose();
    model.dispose();
    loaded.dispose();
  });
});

describe('refusals, in words and before anything changes', () => {
  beforeAll(() => useBackend('cpu'));
  const model = localTransformer(CONFIG);
  const vectors = localTransformer({...CONFIG, numTokens: null});

  const bad: [string, () => unknown, string][] = [
    ['bidirectional', () => createDecoder(localTransformer({...CONFIG, causal: false})), '[createDecoder] decoding needs causal: true, since without it a token sees those after it too.'], // prettier-ignore
    ['insertLayers', () => createDecoder(localTransformer({...CONFIG, insertLayers: {2: tf.layers.activation({activation: 'relu'})}})), '[createDecoder] model must have no insertLayers, whose past no cache bounds, got one before block 2.'], // prettier-ignore
    ['another model', () => createDecoder(tf.sequential({layers: [tf.layers.dense({units: 1, inputShape: [1]})]})), '[createDecoder] model must be one that localTransformer made, or tf.loadLayersModel of one; got one with a Dense.'], // prettier-ignore
    ['batch', () => createDecoder(model, {batch: 0}), '[createDecoder] batch must be a whole number from 1 to 16777216, got 0.'], // prettier-ignore
    ['unknown option', () => createDecoder(model, {bacth: 1} as never), "[createDecoder] unknown option 'bacth' (did you mean 'batch'?)."], // prettier-ignore
  ];
  test.each(bad)('createDecoder: %s', (_, call, message) => {
    expect(call).toThrow(message);
  });

  const ONE = 'must be a tensor [B, m], or 1 lists of one length, or one list, of';
  const feeds: [string, unknown, object, string][] = [
    ['a text', 'abc', {}, `ids ${ONE} whole numbers from 0 to 6, got 'abc'`],
    ['an id out of range', [1, 7], {}, `ids ${ONE} whole numbers from 0 to 6, got 7`],
    ['a fraction', [0.5], {}, `ids ${ONE} whole numbers from 0 to 6, got 0.5`],
    ['two rows', [[1], [2]], {}, `ids ${ONE} whole numbers from 0 to 6, got [[1], [2]]`],
    ['a mask too short', [1, 2], {mask: [true]}, 'mask must have as many tokens as are fed, 2, got 1'], // prettier-ignore
    ['a mask of numbers', [1], {mask: [1]}, `mask ${ONE} true or false, got 1`],
    ['an unknown option', [1], {masks: [true]}, "unknown option 'masks' (did you mean 'mask'?)"],
    ['too many tokens', new Array(11).fill(1), {}, 'only maxSeqLen 12 tokens have positions (absolutePositions: false takes any number), got 11 after 2'], // prettier-ignore
  ];
  test.each(feeds)('feed: %s', (_, ids, options, message) => {
    const decoder = createDecoder(model);
    decoder.feed([1, 2]);
    expectRefusal(() => decoder.feed(ids as number[], options), `[decoder.feed] ${message}.`);
    expect(decoder.position).toBe(2);
    decoder.dispose();
  });

  const tensors: [string, BadCall, string][] = [
    ['float32 ids', (given) => feed(given.f32(1, 2)), "ids must be int32 (tf.cast(ids, 'int32') makes it so), got a float32 tensor of shape [1, 2]"], // prettier-ignore
    ['three axes', (given) => feed(given.of('int32', 1, 2, 1)), 'ids must have the shape [B, m] with B 1, got an int32 tensor of shape [1, 2, 1]'], // prettier-ignore
    ['another batch', (given) => feed(given.of('int32', 2, 1)), 'ids must have the shape [B, m] with B 1, got an int32 tensor of shape [2, 1]'], // prettier-ignore
    ['another mask', (given) => feed(given.of('int32', 1, 2), given.bool(1, 3)), 'mask must have the shape [B, m] = [1, 2], got a bool tensor of shape [1, 3]'], // prettier-ignore
    ['no vectors', (given) => feed(given.of('int32', 1, 2), null, vectors), "x must be float32 (tf.cast(x, 'float32') makes it so), got an int32 tensor of shape [1, 2]"], // prettier-ignore
    ['other vectors', (given) => feed(given.f32(1, 2, 5), null, vectors), 'x must have the shape [B, m, dim] = [1, m, 6], got a float32 tensor of shape [1, 2, 5]'], // prettier-ignore
  ];
  const decoders = new Map([model, vectors].map((one) => [one, createDecoder(one)]));
  function feed(x: tf.Tensor, mask: tf.Tensor | null = null, of = model) {
    return decoders.get(of)!.feed(x, {mask});
  }
  test.each(tensors)('feed: %s', (_, call, message) => {
    expectRefusal(call, `[decoder.feed] ${message}.`);
  });

  test('restore: what is no snapshot, or of another model or batch, or disposed', () => {
    const decoder = createDecoder(model);
    const others = [createDecoder(localTransformer(CONFIG)), createDecoder(model, {batch: 2})];
    const [ofModel, ofBatch] = others.map((one) => one.snapshot());
    const gone = decoder.snapshot();
    gone.dispose();
    const rule = '[decoder.restore] snapshot must be';
    expect(() => decoder.restore({} as never)).toThrow(`${rule} what decoder.snapshot() answers`);
    expect(() => decoder.restore(ofModel)).toThrow(`${rule} of a decoder of the same model.`);
    expect(() => decoder.restore(ofBatch)).toThrow(`${rule} of a decoder of batch 1, got one of batch 2.`); // prettier-ignore
    expect(() => decoder.restore(gone)).toThrow('[snapshot.restore] the snapshot has been disposed.'); // prettier-ignore
    expect(() => gone.dispose()).toThrow('[snapshot.dispose] the snapshot has been disposed.');
    expect(decoder.position).toBe(0);
  });

  test('after dispose every method', () => {
    const decoder = createDecoder(model);
    const snapshot = decoder.snapshot();
    decoder.dispose();
    const calls: Record<string, () => unknown> = {
      position: () => decoder.position,
      feed: () => decoder.feed([1]),
      snapshot: () => decoder.snapshot(),
      restore: () => decoder.restore(snapshot),
      reset: () => decoder.reset(),
      dispose: () => decoder.dispose(),
    };
    for (const [name, call] of Object.entries(calls)) {
      expect(call).toThrow(`[decoder.${name}] the decoder has been disposed.`);
    }
  });
});
