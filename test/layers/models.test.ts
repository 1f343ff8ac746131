/** The layers in models that are built, trained, frozen, shared, nested, saved and thrown away. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';

import {fileSystem} from 'tfjs-local-attention/node';
import {layers} from '../../src';
import {BACKENDS, describeSynchronous, useBackend} from '../support/backends';
import {living} from '../support/close';

const [B, N, D] = [4, 7, 6];
const SIZES = {dim: D, windowSize: 3, heads: 2, dimHead: 4};

jest.setTimeout(60_000); // fit waits for the event loop, however busy the machine is

type Node = tf.SymbolicTensor;
const values = (x: tf.Tensor | tf.Tensor[] | Node | Node[]) =>
  Array.from((x as tf.Tensor).dataSync());
const random = (seed: number) => tf.randomNormal([B, N, D], 0, 1, 'float32', seed);
const weightsOf = (layer: tf.layers.Layer) => layer.getWeights().map(values);

const fileUrls = BACKENDS.includes('tensorflow');
if (!fileUrls) console.log('without the handler file://, which is that of tfjs-node');

describeSynchronous('%s:', (backend) => {
  beforeAll(() => useBackend(backend));
  let before: ReturnType<typeof living>;
  beforeEach(() => void (before = living()));
  afterEach(() => expect(living()).toEqual(before));

  /** Trains with its own data, which it disposes. */
  async function fit(model: tf.LayersModel, epochs = 4): Promise<number[]> {
    const [x, y] = [random(1), random(2)];
    const optimizer = tf.train.adam(0.03);
    model.compile({loss: 'meanSquaredError', optimizer});
    const {history} = await model.fit(x, y, {epochs, batchSize: B, shuffle: false, verbose: 0});
    tf.dispose([x, y]);
    optimizer.dispose();
    return history.loss as number[];
  }

  const answer = (model: tf.LayersModel) => tf.tidy(() => values(model.predict(random(3))));

  test('A sequential model with LocalMHA trained with `fit`, saved and loaded through three handlers (memory, our fileSystem, tfjs-node’s file://; the last two also read each other’s files): same predictions', async () => {
    const model = tf.sequential();
    model.add(layers.localMHA({...SIZES, inputShape: [N, D], prenorm: true, qkRmsnorm: true}));
    model.add(layers.localMHA({...SIZES, gateValuesPerHead: true, useXpos: true}));
    const loss = await fit(model, 8);
    expect(loss[7]).toBeLessThan(loss[0]);
    const wanted = answer(model);

    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'layers-'));
    const [ours, theirs] = ['ours', 'theirs'].map((name) => path.join(directory, name));
    const loads: [string, () => Promise<tf.LayersModel>][] = [];
    const memory = tf.io.withSaveHandler(async (artifacts) => {
      loads.push(['memory', () => tf.loadLayersModel(tf.io.fromMemory(artifacts))]);
      return {modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts)};
    });
    await model.save(memory);
    await model.save(fileSystem(ours));
    loads.push(['ours', () => tf.loadLayersModel(fileSystem(ours))]);
    if (fileUrls) {
      await model.save(`file://${theirs}`);
      loads.push(
        ['theirs', () => tf.loadLayersModel(`file://${theirs}/model.json`)],
        ['ours by theirs', () => tf.loadLayersModel(`file://${ours}/model.json`)],
        ['theirs by ours', () => tf.loadLayersModel(fileSystem(theirs))],
      );
    }
    for (const [name, load] of loads) {
      const loaded = await load();
      expect([name, answer(loaded)]).toEqual([name, wanted]);
      loaded.dispose();
    }
    fs.rmSync(directory, {recursive: true});
    model.dispose();
  });

  test('what is loaded trains on as if it had never been saved', async () => {
    const model = tf.sequential({layers: [layers.localMHA({...SIZES, inputShape: [N, D]})]});
    const artifacts = await new Promise<tf.io.ModelArtifacts>((resolve) => {
      const handler = tf.io.withSaveHandler(async (saved) => {
        resolve(saved);
        return {modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(saved)};
      });
      void model.save(handler);
    });
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
    const [got, wanted] = [await fit(loaded), await fit(model)];
    expect(got[0]).toBe(wanted[0]);
    expect(got[3]).toBeCloseTo(wanted[3], 5); // threads may add in another order
    for (const each of [model, loaded]) each.dispose();
  });

  test('a frozen layer keeps its weights while the others train', async () => {
    const frozen = layers.localMHA({...SIZES, inputShape: [N, D]});
    const trained = layers.localMHA(SIZES);
    const model = tf.sequential({layers: [frozen, trained]});
    frozen.trainable = false;
    const [kept, changed] = [weightsOf(frozen), weightsOf(trained)];
    await fit(model, 1);
    expect(weightsOf(frozen)).toEqual(kept);
    expect(weightsOf(trained)).not.toEqual(changed);

    const lines: string[] = [];
    model.summary(undefined, undefined, (line) => lines.push(line));
    const count = 2 * (D * 3 * 8 + 8 * D);
    const text = lines.join('\n');
    expect(text).toContain(`Total params: ${count}\n`);
    expect(text).toContain(`Non-trainable params: ${count / 2}\n`);
    expect(text).toMatch(/local_mha_LocalMHA\d+ .*\[null,7,6\] +192/);
    model.dispose();
  });

  test('a layer used twice in a model has one set of weights, and trains', async () => {
    const layer = layers.localMHA(SIZES);
    const x = tf.input({shape: [N, D]});
    const model = tf.model({inputs: x, outputs: layer.apply(layer.apply(x)) as Node});
    expect(model.weights.length).toBe(2);
    const wanted = tf.tidy(() => values(layer.apply(layer.apply(random(3)))));
    expect(answer(model)).toEqual(wanted);
    const loss = await fit(model);
    expect(loss[3]).toBeLessThan(loss[0]);
    model.dispose();
    layer.dispose(); // TF.js counts two users, and the model is one
  });

  test('a model inside a model trains the layers inside', async () => {
    const layer = layers.localMHA({...SIZES, inputShape: [N, D]});
    const inner = tf.sequential({layers: [layer]});
    const attention = layers.localAttention({windowSize: 7, inputShape: [N, D]});
    const model = tf.sequential({layers: [attention, inner]});
    const first = weightsOf(layer);
    await fit(model, 1);
    expect(weightsOf(layer)).not.toEqual(first);
    model.dispose();
    layer.dispose(); // TF.js counts the inner model as a user of its own
  });

  test('a regularizer is part of the loss, which trainOnBatch answers too', async () => {
    const make = (kernelRegularizer: string | null) =>
      layers.localMHA({
        ...SIZES,
        inputShape: [N, D],
        kernelRegularizer: kernelRegularizer as 'l1l2',
        kernelInitializer: tf.initializers.constant({value: 0.1}),
      });
    const losses = [];
    for (const regularizer of ['l1l2', null]) {
      const model = tf.sequential({layers: [make(regularizer)]});
      const [x, y] = [random(1), random(2)];
      model.compile({loss: 'meanSquaredError', optimizer: 'sgd'});
      losses.push((await model.trainOnBatch(x, y)) as number);
      tf.dispose([x, y]);
      model.dispose();
    }
    // l1 and l2 are 0.01 by default; there are D · 24 + 8 · D weights of 0.1
    const penalty = 0.01 * (0.1 + 0.01) * D * 32;
    expect(losses[0] - losses[1]).toBeCloseTo(penalty, 5);
  });

  test('each kind of weight begins as its initializer says and obeys its constraint', () => {
    tf.tidy(() => {
      const constant = (value: number) => tf.initializers.constant({value});
      const layer = layers.localMHA({
        ...SIZES,
        prenorm: true,
        gateValuesPerHead: true,
        kernelInitializer: constant(1),
        biasInitializer: constant(2),
        gammaInitializer: constant(3),
        betaInitializer: constant(4),
        kernelConstraint: 'nonNeg',
      });
      layer.apply(random(1));
      const kinds = layer.weights.map(({name}) => name.replace(/.*\//, '').replace(/_\d+$/, ''));
      const first = {kernel: 1, bias: 2, gamma: 3, beta: 4} as Record<string, number>;
      expect(weightsOf(layer).map(([value]) => value)).toEqual(kinds.map((kind) => first[kind]));
      layer.setWeights(layer.getWeights().map((weight) => tf.neg(weight)));
      const after = kinds.map((kind) => (kind === 'kernel' ? 0 : -first[kind]));
      expect(weightsOf(layer).map(([value]) => Math.abs(value))).toEqual(after.map(Math.abs));
      layer.dispose();
    });
  });

  test('a rotary embedding begins at its offset, with its own theta', () => {
    tf.tidy(() => {
      const whole = layers.rotaryEmbedding({theta: 50}).apply(random(1)) as tf.Tensor;
      const later = layers.rotaryEmbedding({theta: 50, offset: 2});
      const end = (x: tf.Tensor) => tf.slice(x, [0, 2, 0], [-1, -1, -1]);
      expect(values(later.apply(end(random(1))))).toEqual(values(end(whole)));
      expect(values(later.apply(random(1)))).not.toEqual(values(whole));
    });
  });

  test('weights can be given when the layer is made, and set later', () => {
    tf.tidy(() => {
      const source = layers.localMHA(SIZES);
      const wanted = values(source.apply(random(1)));
      const copy = layers.localMHA({...SIZES, weights: source.getWeights()});
      expect(values(copy.apply(random(1)))).toEqual(wanted);
      const other = layers.localMHA(SIZES);
      other.apply(random(1));
      other.setWeights(source.getWeights());
      expect(values(other.apply(random(1)))).toEqual(wanted);
      for (const layer of [source, copy, other]) layer.dispose();
    });
  });

  test('a refused input leaves the layer as it was, before it is built and after', () => {
    tf.tidy(() => {
      const layer = layers.localMHA(SIZES);
      const wrong = tf.zeros([B, N, D + 1]);
      const rule = /\[LocalMHA\] x must have the shape \[B, n, dim\] with dim 6, got \[4, ?7, ?7\]/;
      expect(() => layer.apply(wrong)).toThrow(rule);
      expect(layer.weights.length).toBe(0);
      const wanted = values(layer.apply(random(1)));
      expect(() => layer.apply(wrong)).toThrow(rule);
      expect(values(layer.apply(random(1)))).toEqual(wanted);
      layer.dispose();
      expect(() => layer.apply(random(1))).toThrow(/already disposed/);
    });
  });
});
