/** localTransformer: what it is made of, what it refuses, and that it is a model like any other. */
import * as tf from '@tensorflow/tfjs';

import {LocalTransformerArgs, layers, localTransformer, registerFasterKernels} from '../../src';
import {partsOf} from '../../models/parts';
import {BACKENDS, useBackend} from '../support/backends';
import {boolTensor, living} from '../support/close';

const [B, N, V, D] = [2, 7, 11, 6];
const SMALL: LocalTransformerArgs = {
  ...{numTokens: V, maxSeqLen: 13, dim: D, depth: 2, heads: 2, dimHead: 4},
  ...{localAttnWindowSize: 3, numResidualStreams: 3, seed: 5},
};

const ids = () => tf.tensor2d([[1, 2, 3, 4, 5, 6, 7], [10, 9, 0, 7, 6, 0, 4]], [B, N], 'int32'); // prettier-ignore

async function valuesOf(x: tf.Tensor): Promise<number[]> {
  const values = Array.from(await x.data());
  x.dispose();
  return values;
}

async function largestDifference(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  const [difference] = await valuesOf(tf.tidy(() => tf.max(tf.abs(tf.sub(a, b)))));
  tf.dispose([a, b]);
  return difference;
}

async function saveAndLoad(model: tf.LayersModel): Promise<tf.LayersModel> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  const handler = tf.io.withSaveHandler(async (saved) => {
    artifacts = saved;
    return {modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(saved)};
  });
  await model.save(handler);
  return tf.loadLayersModel(tf.io.fromMemory(artifacts!));
}

describe.each(BACKENDS)('%s:', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
    registerFasterKernels();
  });
  let before: ReturnType<typeof living>;
  beforeEach(() => void (before = living()));
  afterEach(() => expect(living()).toEqual(before));

  const EVERY: [string, Partial<LocalTransformerArgs>][] = [
    ['one stream', {numResidualStreams: 1}],
    ['three streams', {}],
    ['a dynamic position bias', {useDynamicPosBias: true}],
    ['xpos, shared keys, gates', {useXpos: true, xposScaleBase: 4, sharedQk: true, gateValuesPerHead: true}], // prettier-ignore
    ['both ways, padding masked', {causal: false, maskZero: true, lookBackward: 2}],
    ['no absolute positions', {absolutePositions: false, maxSeqLen: null}],
  ];

  test.each(EVERY)(
    'it trains by fit, and saved and loaded predicts the same bits: %s',
    async (_, args) => {
      const model = localTransformer({...SMALL, ...args});
      const [x, y] = [ids(), tf.randomNormal([B, N, V], 0, 1, 'float32', 3)];
      model.compile({loss: 'meanSquaredError', optimizer: 'adam'});
      const {history} = await model.fit(x, y, {epochs: 3, verbose: 0});
      const losses = history.loss as number[];
      expect(losses[2]).toBeLessThan(losses[0]);

      const loaded = await saveAndLoad(model);
      const predicted = model.predict(x) as tf.Tensor;
      expect(predicted.shape).toEqual([B, N, V]);
      expect(await valuesOf(loaded.predict(x) as tf.Tensor)).toEqual(await valuesOf(predicted));
      model.optimizer.dispose();
      tf.dispose([x, y]);
      model.dispose();
      loaded.dispose();
    },
  );

  test('streams of a fresh model are S plain residuals: the logits of one stream, but for an ε', async () => {
    const [one, three] = [1, 3].map((numResidualStreams) =>
      localTransformer({
        ...{...SMALL, numResidualStreams},
        initializers: {embeddings: tf.initializers.randomNormal({stddev: 1})},
      }),
    );
    const plain = new Map<string, tf.Tensor>();
    for (const [i, layer] of parametersOf(one).entries()) for (const [name, x] of layer) plain.set(`${i}/${name}`, x.read()); // prettier-ignore
    for (const [i, layer] of parametersOf(three).entries()) {
      for (const [name, variable] of layer) {
        const same = plain.get(`${i}/${name}`);
        if (same) variable.write(same);
      }
    }
    const x = ids();
    expect(
      await largestDifference(one.predict(x) as tf.Tensor, three.predict(x) as tf.Tensor),
    ).toBeLessThan(1e-4);
    x.dispose();
    one.dispose();
    three.dispose();
  });

  test('the same seed makes the same weights, and another seed others', async () => {
    const weightsOf = async (seed: number) => {
      const model = localTransformer({...SMALL, seed});
      const values = await Promise.all(model.getWeights().map((weight) => weight.data()));
      const shown = values.map((data) => Array.from(data).join());
      model.dispose();
      return shown;
    };
    const [first, second, third] = [await weightsOf(3), await weightsOf(3), await weightsOf(4)];
    expect(second).toEqual(first);
    expect(third).not.toEqual(first);
  });

  test.each([false, true])(
    'a mask of one call hides keys, beside those that maskZero %s hides',
    async (maskZero) => {
      const model = localTransformer({...SMALL, maskZero});
      const x = ids();
      const there = boolTensor({shape: [B, N], data: [1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1]});
      const masked = model.apply(x, {mask: there}) as tf.Tensor;
      const plain = model.predict(x) as tf.Tensor;
      const differs = await valuesOf(
        tf.tidy(() => tf.max(tf.abs(tf.sub(masked, plain)), -1).greater(1e-7)),
      );
      // token 0 of the second row is hidden from itself and from the two windows that see it
      const second = differs.slice(N);
      expect(differs.slice(0, N)).toEqual([0, 0, 0, 0, 0, 0, 0]);
      expect(second.slice(0, 2)).toEqual([1, 1]);
      tf.dispose([masked, plain, x, there]);
      model.dispose();
    },
  );

  test('a mask of one call that is not [B, n] is refused, and not left out', () => {
    for (const numTokens of [V, null]) {
      const model = localTransformer({...SMALL, numTokens});
      const x = numTokens === null ? tf.ones([B, N, D]) : ids();
      const masks = [[B, N - 1], [1, N], [N]].map((shape) => tf.ones(shape, 'bool'));
      for (const mask of masks) {
        expect(() => model.apply(x, {mask})).toThrow(
          `mask must be a living tensor of shape [${B}, ${N}], got a bool tensor of shape [${mask.shape.join(', ')}].`, // prettier-ignore
        );
      }
      expect(() => model.apply(x, {mask: [[true]]})).toThrow('mask must be a living tensor');
      tf.dispose([x, masks]);
      model.dispose();
    }
  });

  test('a hidden token changes no other: maskZero is the mask of the tokens that are not 0', async () => {
    const [own, given] = [true, false].map((maskZero) => localTransformer({...SMALL, maskZero}));
    const x = ids();
    const there = boolTensor({shape: [B, N], data: [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1]});
    expect(
      await largestDifference(
        own.predict(x) as tf.Tensor,
        given.apply(x, {mask: there}) as tf.Tensor,
      ),
    ).toBe(0);
    tf.dispose([x, there]);
    own.dispose();
    given.dispose();
  });

  test('without numTokens it is an encoder of vectors, of any length', async () => {
    const model = localTransformer({...SMALL, numTokens: null, maxSeqLen: null, causal: false});
    for (const n of [0, 1, 2, 3, 17]) {
      const x = tf.randomNormal([B, n, D]);
      const y = model.apply(x) as tf.Tensor;
      expect(y.shape).toEqual([B, n, D]);
      tf.dispose([x, y]);
    }
    model.dispose();
  });

  test('inserted layers run before their blocks, and train', async () => {
    // not tf.layers.dense, which keeps a value too many under tfjs-node
    const sizes = {dim: D, numTokens: D};
    const inserted = layers.tokenLogits({...sizes, kernelInitializer: 'zeros', name: 'inserted'});
    const model = localTransformer({...SMALL, insertLayers: {2: inserted}});
    const x = ids();
    const plain = localTransformer(SMALL);
    expect(model.countParams()).toBeGreaterThan(plain.countParams() + D * D + D);
    const {blocks} = partsOf('test', model);
    expect(blocks.map((one) => one.inserted?.layer)).toEqual([undefined, inserted]);

    const y = tf.ones([B, N, V]);
    model.compile({loss: 'meanSquaredError', optimizer: tf.train.sgd(1)});
    await model.trainOnBatch(x, y);
    const moved = await valuesOf(tf.tidy(() => tf.max(tf.abs(inserted.getWeights()[2]))));
    expect(moved[0]).toBeGreaterThan(0);
    const loaded = await saveAndLoad(model);
    expect(
      await largestDifference(model.predict(x) as tf.Tensor, loaded.predict(x) as tf.Tensor),
    ).toBe(0);
    model.optimizer.dispose();
    tf.dispose([x, y]);
    for (const each of [model, plain, loaded]) each.dispose();
  });
});

function parametersOf(model: tf.LayersModel): ReadonlyMap<string, tf.LayerVariable>[] {
  const {embedding, blocks, logits} = partsOf('test', model);
  return [embedding!, ...blocks.map(({block}) => block), logits!].map((layer) => layer.parameters);
}

describe('it refuses, in words:', () => {
  beforeAll(() => useBackend(BACKENDS[0]));
  let before: ReturnType<typeof living>;
  beforeEach(() => void (before = living()));
  afterEach(() => expect(living()).toEqual(before));

  const dense = () => tf.layers.dense({units: D});
  test.each([
    [{depht: 2}, "unknown option 'depht'"],
    [{windowSize: 3}, "unknown option 'windowSize'"],
    [{dim: null}, 'dim is required'],
    [{depth: 0}, 'depth must be a whole number from 1'],
    [{maxSeqLen: null}, 'maxSeqLen is required (or set absolutePositions: false), got null'],
    [{numTokens: null, maskZero: true}, 'maskZero needs numTokens'],
    [{useDynamicPosBias: true, useXpos: true}, 'useDynamicPosBias takes the place of rotary'],
    [{causal: true, lookForward: 1}, 'lookForward must be 0 when causal is true'],
    [{dimHead: 3}, 'head size must be even'],
    [{insertLayers: {3: dense()}}, "insertLayers must name blocks by numbers from 1 to depth 2, got '3'"], // prettier-ignore
    [{insertLayers: new Map([[1, dense()]])}, 'insertLayers must be an object such as {1: layer}, got an instance of Map'], // prettier-ignore
    [{useDynamicPosBias: true, dim: 1}, 'useDynamicPosBias needs a dim of at least 2'],
    [{insertLayers: {1: 'dense'}}, "insertLayers[1] must be a tf.layers.Layer, got 'dense'"],
    [{initializers: {kernels: 'zeros'}}, "unknown option 'kernels'"],
    [{initializers: {kernel: 'none'}}, 'kernelInitializer must be what tf.layers.dense takes'],
    [{seed: -1}, 'seed must be a whole number from 0'],
    [{ignoreIndex: 1.5}, 'ignoreIndex must be a whole number'],
    [{ffMult: 0}, 'ffMult must be a finite number, greater than 0'],
  ])('%j', (args, sentence) => {
    expect(() => localTransformer({...SMALL, ...args} as never)).toThrow(sentence as string);
  });

  test.each([1, 4])('an inserted layer of another shape, with %i streams', (numResidualStreams) => {
    const options = {...SMALL, numResidualStreams, useDynamicPosBias: true};
    const pooling = tf.layers.globalAveragePooling1d();
    expect(() => localTransformer({...options, insertLayers: {2: pooling as never}})).toThrow(
      'layer must give the shape of its input',
    );
  });

  test('a sequence longer than maxSeqLen, with the remedy', () => {
    const model = localTransformer(SMALL);
    const x = tf.zeros([1, 14], 'int32');
    expect(() => model.apply(x)).toThrow(
      'ids must have at most maxSeqLen 13 tokens (absolutePositions: false takes any number), got 14',
    );
    x.dispose();
    model.dispose();
  });

  test('parts of a model that is another', () => {
    const input = tf.input({shape: [D]});
    const model = tf.model({inputs: input, outputs: dense().apply(input) as tf.SymbolicTensor});
    expect(() => partsOf('test', model)).toThrow('got one with a Dense');
    model.dispose();
  });
});
