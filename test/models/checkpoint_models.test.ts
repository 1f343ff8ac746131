/** Checkpoints and what a model goes through: training, saving, loading, shards. */
import * as tf from '@tensorflow/tfjs';

import {layers, localTransformer} from '../../src';
import {loadCheckpoint, saveCheckpoint} from '../../models/checkpoint';
import {floatValues} from '../../models/float_values';
import {readSafetensors, writeSafetensors} from '../../models/safetensors';
import {torchTensors} from '../../models/torch_names';
import {CHECKPOINTS, checkpointCase, fileOfCase, targetOf} from '../support/checkpoints';
import {Stored, packed} from '../support/safetensors_file';

beforeAll(async () => void (await tf.setBackend('cpu')));

const DEFAULTS = checkpointCase('defaults');

const tensorsOf = (file: Uint8Array) => readSafetensors('test', 'the file', file);

test('each parameter has one name, and each name one parameter', () => {
  for (const c of CHECKPOINTS) {
    const target = targetOf(c);
    const tensors = torchTensors('test', target);
    const parameters = tensors.flatMap(({parameter}) => parameter ?? []);
    expect(new Set(parameters)).toEqual(new Set(target.weights));
    expect(parameters).toHaveLength(target.weights.length);
    const names = tensors.map(({name}) => name);
    expect(names.sort()).toEqual([...tensorsOf(fileOfCase(c)).keys()].sort());
  }
});

test('a layer takes 9 tensors with one stream and 23 with more, beside the 5 of the ends', () => {
  const small = {numTokens: 5, maxSeqLen: 7, dim: 6, heads: 1, dimHead: 2};
  const count = (depth: number, numResidualStreams: number) =>
    torchTensors('test', localTransformer({...small, depth, numResidualStreams})).length;
  expect([count(1, 1), count(2, 1), count(1, 4), count(2, 4)]).toEqual([14, 23, 28, 51]);
});

test('a model of tf.loadLayersModel loads and saves as a fresh one does', async () => {
  for (const name of ['defaults', 'inserted layers', 'dynamic position bias']) {
    const c = checkpointCase(name);
    let artifacts: tf.io.ModelArtifacts | undefined;
    const handler = tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return {modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(saved)};
    });
    await (targetOf(c) as tf.LayersModel).save(handler);
    const model = await tf.loadLayersModel(tf.io.fromMemory(artifacts!));
    const {loaded} = await loadCheckpoint(model, fileOfCase(c));
    expect(loaded).toHaveLength(model.weights.length);
    expect(Buffer.compare(await saveCheckpoint(model), fileOfCase(c))).toBe(0);
  }
});

const DIM = DEFAULTS.config.dim as number;
const BLOCK = {dim: DIM, heads: 3, dimHead: 6, windowSize: 4, causal: true, streams: 4};

test.each<[string, string, string, () => tf.layers.Layer, number[]]>([
  [
    'FeedForward',
    'defaults',
    'layers.1.1.branch.',
    () => layers.feedForward({dim: DIM}),
    [1, 5, DIM],
  ],
  [
    'LocalTransformerBlock',
    'defaults',
    'layers.1.',
    () => layers.localTransformerBlock(BLOCK),
    [1, 5, 4, DIM],
  ],
  [
    'DynamicPositionBias',
    'dynamic position bias',
    'dynamic_pos_bias.',
    () => layers.dynamicPositionBias({dim: DIM / 2, heads: 3, windowSize: 4}),
    [1, 5, DIM],
  ],
])('%s has the checkpoint of its module alone', async (_, name, prefix, make, shape) => {
  const all = [...tensorsOf(fileOfCase(checkpointCase(name)))];
  const within = all.filter(([one]) => one.startsWith(prefix));
  const own = within.map(([one, tensor]) => [one.slice(prefix.length), tensor] as const);
  const file = writeSafetensors(
    own.map(([one, tensor]) => ({name: one, shape: tensor.shape, values: floatValues(tensor)})),
  );
  const layer = make();
  layer.apply(tf.input({batchShape: shape}));
  const {loaded} = await loadCheckpoint(layer, file);
  expect(loaded).toHaveLength(layer.weights.length);
  expect(Buffer.compare(await saveCheckpoint(layer), file)).toBe(0);
});

test('shards are loaded as one file is', async () => {
  const tensors = [...tensorsOf(fileOfCase(DEFAULTS))];
  const halves = [0, 1].map((half) => packed(new Map(tensors.filter((_, i) => i % 2 === half))));
  const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const weight_map = Object.fromEntries(tensors.map(([name], i) => [name, names[i % 2]]));
  const target = targetOf(DEFAULTS);
  const open = async (name: string) => halves[names.indexOf(name)];
  await loadCheckpoint(target, {index: {weight_map}, open});
  expect(Buffer.compare(await saveCheckpoint(target), fileOfCase(DEFAULTS))).toBe(0);
});

test('a scalar may have the shape [1]', async () => {
  const tensors = new Map<string, Stored>(tensorsOf(fileOfCase(DEFAULTS)));
  const scalars = [...tensors].filter(([, {shape}]) => shape.length === 0);
  expect(scalars).toHaveLength(8);
  for (const [name, one] of scalars) tensors.set(name, {...one, shape: [1]});
  const target = targetOf(DEFAULTS);
  await loadCheckpoint(target, packed(tensors));
  expect(Buffer.compare(await saveCheckpoint(target), fileOfCase(DEFAULTS))).toBe(0);
});

test('the file may be written over after the load', async () => {
  const [target, file] = [targetOf(DEFAULTS), fileOfCase(DEFAULTS)];
  await loadCheckpoint(target, file);
  file.fill(0);
  expect(Buffer.compare(await saveCheckpoint(target), fileOfCase(DEFAULTS))).toBe(0);
});

test('what is saved is what the weights were when saveCheckpoint was called', async () => {
  const target = targetOf(DEFAULTS);
  await loadCheckpoint(target, fileOfCase(DEFAULTS));
  const saving = saveCheckpoint(target);
  target.setWeights(target.getWeights().map((one) => tf.zerosLike(one)));
  expect(Buffer.compare(await saving, fileOfCase(DEFAULTS))).toBe(0);
});

test("two of a block's sizes that are alike are told apart: to_out is transposed", async () => {
  // dim 18 = heads · dimHead, so that a matrix that was not transposed would fit as well
  const model = localTransformer({
    ...{numTokens: 18, maxSeqLen: 18, dim: 18, depth: 1, heads: 3, dimHead: 6},
    numResidualStreams: 1,
  });
  const saved = tensorsOf(await saveCheckpoint(model));
  const kernel = model.weights.find(({name}) => name.includes('attention/to_out/kernel'))!;
  const transposed = tf.transpose(kernel.read() as tf.Tensor2D).dataSync();
  const {bytes} = saved.get('layers.0.0.branch.to_out.weight')!;
  expect(new Float32Array(bytes.slice().buffer)).toEqual(transposed);
});

test('a model trains on from a checkpoint, and its optimizer keeps its state', async () => {
  const c = checkpointCase('one stream');
  const model = targetOf(c) as tf.LayersModel;
  model.compile({optimizer: 'adam', loss: 'meanSquaredError'});
  const ids = tf.tensor(c.x.data, c.x.shape, 'int32');
  const wanted = tf.tensor(c.output.data, c.output.shape);
  await loadCheckpoint(model, fileOfCase(c));
  const loss = async () => {
    const {history} = await model.fit(ids, wanted, {epochs: 1, verbose: 0});
    return history.loss[0] as number;
  };
  expect(await loss()).toBeLessThan(1e-9);
  await loss();
  expect((await model.optimizer.getWeights()).length).toBeGreaterThan(0);
  expect(Buffer.compare(await saveCheckpoint(model), fileOfCase(c))).not.toBe(0);
});

test('weights of an inserted layer are called as those of the torch module of its parts', () => {
  class Two extends tf.layers.Layer {
    static className = 'TwoForCheckpoints';
    override build() {
      const zeros = tf.initializers.zeros();
      const add = (name: string, shape: number[]) =>
        this.addWeight(name, shape, 'float32', zeros as never);
      add('to_q/kernel', [6, 6]);
      add('norm/gamma', [6]);
      add('norm/beta', [6]);
      add('memory', [3, 6]);
      this.built = true;
    }
    override call(inputs: tf.Tensor | tf.Tensor[]) {
      return Array.isArray(inputs) ? inputs[0] : inputs;
    }
  }
  const model = localTransformer({
    ...{numTokens: 5, maxSeqLen: 7, dim: 6, depth: 2, heads: 1, dimHead: 2},
    insertLayers: {2: new Two({name: 'two'})},
  });
  const names = torchTensors('test', model).map(({name}) => name);
  const within = names.filter((name) => name.startsWith('global_layers.1.branch.'));
  expect(within.map((name) => name.slice('global_layers.1.branch.'.length))).toEqual([
    'to_q.weight',
    'norm.weight',
    'norm.bias',
    'memory',
  ]);
  expect(names.filter((name) => name.startsWith('global_layers.1.'))).toHaveLength(4 + 7);
});

test('the parts of an inserted tf.sequential are called by their places, and slashes in a name harm not', () => {
  const model = localTransformer({
    ...{numTokens: 5, maxSeqLen: 7, dim: 6, depth: 2, heads: 1, dimHead: 2, numResidualStreams: 1},
    insertLayers: {
      1: tf.sequential({
        layers: [
          tf.layers.inputLayer({inputShape: [null, 6]}),
          tf.layers.dense({units: 4, useBias: false}),
          tf.layers.reLU(),
          tf.layers.dense({units: 6}),
        ],
      }),
      2: tf.layers.dense({units: 6, name: 'my/own/dense'}),
    },
  });
  const names = torchTensors('test', model).map(({name}) => name);
  expect(names.filter((name) => name.startsWith('global_layers.'))).toEqual([
    'global_layers.0.branch.0.weight',
    'global_layers.0.branch.2.weight',
    'global_layers.0.branch.2.bias',
    'global_layers.1.branch.weight',
    'global_layers.1.branch.bias',
  ]);
});
