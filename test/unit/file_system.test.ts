import fs from 'node:fs';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {fileSystem} from 'tfjs-local-attention/node';

tf.env().set('IS_TEST', true); // no greeting

let directory: string;
let tensors: number;

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'file-system-'));
  tensors = tf.memory().numTensors;
});

afterEach(() => {
  fs.rmSync(directory, {recursive: true});
  expect(tf.memory().numTensors).toBe(tensors);
});

const inDirectory = (...names: string[]) => path.join(directory, ...names);
const write = (name: string, content: string | Uint8Array) =>
  fs.writeFileSync(inDirectory(name), content);

function dense() {
  const model = tf.sequential();
  model.add(tf.layers.dense({units: 3, inputShape: [2], activation: 'tanh', name: 'inner'}));
  model.add(tf.layers.dense({units: 1, name: 'outer'}));
  return model;
}

/** The answer to one fixed question; disposes the model. */
function answer(model: tf.LayersModel) {
  const values = tf.tidy(() => (model.predict(tf.tensor2d([[0.3, -2]])) as tf.Tensor).arraySync());
  model.dispose();
  return values;
}

const A_WEIGHT: tf.io.WeightsManifestEntry = {name: 'a', shape: [2], dtype: 'float32'};

function artifacts(): tf.io.ModelArtifacts {
  return {
    modelTopology: {some: 'layers'},
    weightSpecs: [A_WEIGHT],
    weightData: Float32Array.of(1, 2).buffer,
    trainingConfig: {optimizer_config: {}, loss: 'meanSquaredError'},
    userDefinedMetadata: {vocabulary: ['a', 'b']},
    format: 'layers-model',
    generatedBy: 'a test',
    convertedBy: null,
    signature: {inputs: {}},
    modelInitializer: {node: []},
    initializerSignature: {outputs: {}},
  };
}

test('a loaded model predicts what the saved one did, from the directory or its json', async () => {
  const model = dense();
  const {modelArtifactsInfo} = await model.save(fileSystem(inDirectory('deep', 'model')));
  expect(modelArtifactsInfo).toMatchObject({modelTopologyType: 'JSON', weightDataBytes: 13 * 4});
  expect(fs.readdirSync(inDirectory('deep', 'model'))).toEqual(['model.json', 'weights.bin']);

  const expected = answer(model);
  for (const given of [inDirectory('deep', 'model'), inDirectory('deep', 'model', 'model.json')]) {
    expect(answer(await tf.loadLayersModel(fileSystem(given)))).toEqual(expected);
  }
});

test('training goes on after a load as it would have without: the optimizer is saved', async () => {
  const x = tf.tensor2d([[1, 2]]);
  const y = tf.tensor2d([[3]]);
  const model = dense();
  model.compile({optimizer: 'adam', loss: 'meanSquaredError'});
  await model.fit(x, y, {epochs: 3, verbose: 0});
  model.setUserDefinedMetadata({step: 3});
  await model.save(fileSystem(directory), {includeOptimizer: true});
  const loaded = (await tf.loadLayersModel(fileSystem(directory))) as tf.Sequential;

  expect(loaded.getUserDefinedMetadata()).toEqual({step: 3});
  for (const each of [model, loaded]) await each.fit(x, y, {epochs: 2, verbose: 0});
  const optimizers = [model.optimizer, loaded.optimizer];
  expect(answer(loaded)).toEqual(answer(model));
  tf.dispose([x, y]);
  optimizers.forEach((optimizer) => optimizer.dispose());
  tensors += 1; // TF.js itself never disposes the scalar of optimizer.getWeights, at each save
});

test('everything that model.save gives comes back', async () => {
  await fileSystem(directory).save!(artifacts());
  expect(await fileSystem(directory).load!()).toEqual(artifacts());
});

test.each([
  ['an array of buffers', [Float32Array.of(1).buffer, Float32Array.of(2).buffer]],
  ['an array that begins with an empty one', [new ArrayBuffer(0), Float32Array.of(1, 2).buffer]],
])('%s is saved as one buffer is', async (_what, weightData) => {
  await fileSystem(directory).save!({...artifacts(), weightData});
  expect(await fileSystem(directory).load!()).toEqual(artifacts());
});

test('a model without weights comes back without weights', async () => {
  await fileSystem(directory).save!({modelTopology: {}});
  const {weightSpecs, weightData} = await fileSystem(directory).load!();
  expect(weightSpecs).toEqual([]);
  expect((weightData as ArrayBuffer).byteLength).toBe(0);
});

/** Node's fetch; but json() with the arrays of the realm in which jest runs a test. */
async function fetchFunc(...request: Parameters<typeof fetch>) {
  const response = await fetch(...request);
  return Object.assign(response, {json: async () => JSON.parse(await response.text())});
}

test("TF.js's own http loader reads what was saved", async () => {
  const model = dense();
  await model.save(fileSystem(directory));
  const server = http.createServer((request, response) =>
    response.end(fs.readFileSync(inDirectory(request.url as string))),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  try {
    const loaded = await tf.loadLayersModel(`http://127.0.0.1:${port}/model.json`, {fetchFunc});
    expect(answer(loaded)).toEqual(answer(model));
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test('a converter manifest of several groups and files, cut amid a weight, is one model', async () => {
  const model = dense();
  await model.save(fileSystem(directory));
  const json = JSON.parse(fs.readFileSync(inDirectory('model.json'), 'utf8'));
  const bytes = fs.readFileSync(inDirectory('weights.bin'));
  const [innerKernel, ...others] = json.weightsManifest[0].weights;
  json.weightsManifest = [
    {paths: ['group1-shard1of1.bin'], weights: [innerKernel]},
    {paths: ['group2-shard1of2.bin', './shards/group2-shard2of2.bin'], weights: others},
  ];
  fs.mkdirSync(inDirectory('shards'));
  write('converted.json', JSON.stringify(json));
  write('group1-shard1of1.bin', bytes.subarray(0, 24)); // [2, 3] float32
  write('group2-shard1of2.bin', bytes.subarray(24, 30));
  write('shards/group2-shard2of2.bin', bytes.subarray(30));
  fs.rmSync(inDirectory('weights.bin'));

  const loaded = await tf.loadLayersModel(fileSystem(inDirectory('converted.json')));
  expect(answer(loaded)).toEqual(answer(model));
});

test('quantized and string weights are measured as they are stored', async () => {
  const weightSpecs: tf.io.WeightsManifestEntry[] = [
    {...A_WEIGHT, quantization: {dtype: 'uint8', min: 0, scale: 1}},
    {name: 's', shape: [2], dtype: 'string'},
    {name: 'c', shape: [], dtype: 'complex64'},
  ];
  const words = [3, 0, 0, 0, 97, 98, 99, 0, 0, 0, 0]; // 'abc', ''
  const weightData = Uint8Array.of(7, 9, ...words, ...new Array(8).fill(0)).buffer;
  await fileSystem(directory).save!({...artifacts(), weightSpecs, weightData});
  expect((await fileSystem(directory).load!()).weightData).toEqual(weightData);

  write('weights.bin', new Uint8Array(weightData).subarray(0, 10));
  await expect(fileSystem(directory).load!()).rejects.toThrow('weights.bin holds 10 bytes');
});
