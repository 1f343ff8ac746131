import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {fileSystem} from 'tfjs-local-attention/node';
import {BACKENDS, SKIPPED, useBackend} from '../support/backends';

// with BACKENDS=tensorflow an absent tfjs-node is an error, which the import above throws
const present = BACKENDS.includes('tensorflow');
const reason = SKIPPED.find((skipped) => skipped.startsWith('tensorflow')) ?? 'not in BACKENDS';
if (!present) console.log(`skipped, for want of tfjs-node: ${reason}`);

(present ? describe : describe.skip)('beside the file:// of tfjs-node', () => {
  let directory: string;
  let tensors: number;

  beforeAll(() => useBackend('tensorflow'));

  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tfjs-node-'));
    tensors = tf.memory().numTensors;
  });

  afterEach(() => {
    fs.rmSync(directory, {recursive: true});
    expect(tf.memory().numTensors).toBe(tensors);
  });

  function dense() {
    const model = tf.sequential();
    model.add(tf.layers.dense({units: 3, inputShape: [2], activation: 'tanh'}));
    model.add(tf.layers.dense({units: 1}));
    model.setUserDefinedMetadata({step: 7});
    return model;
  }

  const answer = (model: tf.LayersModel) =>
    tf.tidy(() => (model.predict(tf.tensor2d([[0.3, -2]])) as tf.Tensor).arraySync());

  function expectSame(loaded: tf.LayersModel, model: tf.LayersModel) {
    expect(answer(loaded)).toEqual(answer(model));
    expect(loaded.getUserDefinedMetadata()).toEqual({step: 7});
    for (const each of [loaded, model]) each.dispose();
  }

  test('fileSystem loads what file:// saved', async () => {
    const model = dense();
    await model.save(`file://${directory}`);
    expectSame(await tf.loadLayersModel(fileSystem(directory)), model);
  });

  test('file:// loads what fileSystem saved', async () => {
    const model = dense();
    await model.save(fileSystem(directory));
    expectSame(await tf.loadLayersModel(`file://${directory}/model.json`), model);
  });

  test('both write the same files', async () => {
    const model = dense();
    const ours = path.join(directory, 'ours');
    const theirs = path.join(directory, 'theirs');
    await model.save(fileSystem(ours));
    await model.save(`file://${theirs}`);
    model.dispose();

    expect(fs.readdirSync(ours)).toEqual(fs.readdirSync(theirs));
    const [json, theirJson] = [ours, theirs].map((at) =>
      JSON.parse(fs.readFileSync(path.join(at, 'model.json'), 'utf8')),
    );
    expect(json).toEqual(theirJson);
    const [weights, theirWeights] = [ours, theirs].map((at) =>
      fs.readFileSync(path.join(at, 'weights.bin')),
    );
    expect(weights.equals(theirWeights)).toBe(true);
  });
});
