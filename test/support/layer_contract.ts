/**
 * What every layer of tf.layers does, asked of ours, as keras' run_layer_test asks it. One call
 * makes the tests of one configuration.
 */
import * as tf from '@tensorflow/tfjs';

import {living} from './close';

export interface Contract {
  /** Makes the layer; `common` holds what every layer takes. */
  make: (common: {name?: string; trainable?: boolean}) => tf.layers.Layer;
  /** Shapes of the inputs without the batch axis. The second and third may be a mask and so on. */
  inputs: readonly ContractInput[];
  /** Shape of the output without the batch axis. */
  output: readonly number[];
  /** The names of the weights and their sizes, in order; empty for a layer without. */
  weights?: Readonly<Record<string, number>>;
  /** Weights whose gradient is zero in the first step, by their equations. */
  unmoved?: readonly string[];
  /** The keys of the layer in model.json besides those of every layer, with their values. */
  saved: Readonly<Record<string, unknown>>;
}

export interface ContractInput {
  shape: readonly number[];
  dtype?: 'float32' | 'bool';
}

const BATCH = 3;
const BASE_KEYS = ['batch_input_shape', 'dtype', 'name', 'trainable'];

export function layerContract(name: string, contract: Contract): void {
  const {make, inputs, output, weights = {}, unmoved = []} = contract;

  describe(`${name} keeps the contract of a layer:`, () => {
    let before: ReturnType<typeof living>;
    beforeEach(() => void (before = living()));
    afterEach(() => expect(living()).toEqual(before));

    test('model.json holds exactly the names and values of the specification', () => {
      const model = modelOf(make({name: 'tested'}), inputs);
      const config = layerConfig(JSON.parse(model.toJSON() as string), 'tested');
      for (const key of BASE_KEYS) delete config[key];
      expect(config).toEqual(contract.saved);
      model.dispose();
    });

    test('getConfig makes the same layer again, of the same dtype and name', () => {
      const layer = make({name: 'tested', trainable: false});
      const Class = layer.constructor as unknown as {new (config: unknown): tf.layers.Layer};
      const again = tf.serialization.SerializationMap.getMap().classNameMap[layer.getClassName()];
      expect(again[0]).toBe(Class);
      const copy = again[1](Class as never, layer.getConfig()) as tf.layers.Layer;
      expect(copy.getConfig()).toEqual(layer.getConfig());
      expect([copy.name, copy.trainable, copy.dtype]).toEqual(['tested', false, layer.dtype]);
    });

    test('the symbolic shape, with a free axis too, is the shape of the result', () => {
      const model = modelOf(make({}), inputs);
      const free = inputs.map(({shape, dtype}) => ({shape: [null, ...shape.slice(1)], dtype}));
      const open = modelOf(make({}), free);
      expect(model.outputs[0].shape).toEqual([null, ...output]);
      expect(open.outputs[0].shape).toEqual([null, null, ...output.slice(1)]);
      for (const each of [model, open]) {
        tf.tidy(() => {
          const result = each.predict(values(inputs)) as tf.Tensor;
          expect(result.shape).toEqual([BATCH, ...output]);
          expect(result.dtype).toBe('float32');
        });
        each.dispose();
      }
    });

    test('eager apply gives what the model predicts, in a tidy or out of one', async () => {
      const layer = make({});
      const model = modelOf(layer, inputs);
      const given = values(inputs);
      const list = inputs.length === 1 ? given[0] : given;
      const eager = layer.apply(list) as tf.Tensor;
      const inTidy = tf.tidy(() => layer.apply(list) as tf.Tensor);
      const predicted = model.predict(given) as tf.Tensor;
      expect(await eager.data()).toEqual(await predicted.data());
      expect(await inTidy.data()).toEqual(await predicted.data());
      tf.dispose([given, eager, inTidy, predicted]);
      model.dispose();
    });

    test('weights have the promised names, sizes and count', () => {
      const layer = make({});
      const model = modelOf(layer, inputs);
      const sizes = layer.weights.map(({originalName, shape}) => [
        originalName.split('/').slice(1).join('/'),
        tf.util.sizeFromShape(shape as number[]),
      ]);
      expect(Object.fromEntries(sizes)).toEqual(weights);
      const total = Object.values(weights).reduce((sum, size) => sum + size, 0);
      expect(layer.countParams()).toBe(total);
      const lines: string[] = [];
      model.summary(undefined, undefined, (line) => lines.push(line));
      expect(lines.join('\n')).toContain(`Trainable params: ${total}\n`);
      model.dispose();
    });

    test('a step of fit changes every weight, and none if trainable is false', async () => {
      for (const trainable of [true, false]) {
        const layer = make({trainable});
        const model = modelOf(layer, inputs);
        const given = values(inputs);
        const target = tf.randomNormal([BATCH, ...output], 0, 1, 'float32', 5);
        const first = await weightValues(layer);
        const optimizer = tf.train.sgd(0.1);
        model.compile({loss: 'meanSquaredError', optimizer});
        // a model without any weight cannot be trained: TF.js then has nothing to differentiate
        if (trainable && first.length > 0) {
          await model.fit(given, target, {epochs: 1, batchSize: BATCH, verbose: 0});
          const second = await weightValues(layer);
          const unchanged = layer.weights.filter((_, i) => same(first[i], second[i]));
          const names = unchanged.map(({originalName}) =>
            originalName.split('/').slice(1).join('/'),
          );
          expect(names).toEqual(unmoved);
        }
        expect(layer.trainableWeights.length).toBe(trainable ? first.length : 0);
        expect(layer.nonTrainableWeights.length).toBe(trainable ? 0 : first.length);
        tf.dispose([given, target]);
        optimizer.dispose();
        model.dispose();
      }
    });

    test('saved and loaded, compiled, it predicts the same bits and has the same config', async () => {
      const layer = make({name: 'tested'});
      const model = modelOf(layer, inputs);
      model.compile({loss: 'meanSquaredError', optimizer: 'adam', metrics: ['mae']});
      const given = values(inputs);
      // TF.js 4.22 applies a constraint where weights are set, so also where they are loaded, but
      // neither to initial weights nor in fit
      tf.tidy(() => layer.setWeights(layer.getWeights().map((weight) => tf.clone(weight))));
      const expected = model.predict(given) as tf.Tensor;
      const config = JSON.parse(JSON.stringify(layer.getConfig(), (_, value) => value ?? null));

      let artifacts: tf.io.ModelArtifacts | undefined;
      const handler = tf.io.withSaveHandler(async (saved) => {
        artifacts = saved;
        return {modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(saved)};
      });
      // TF.js leaves tensors behind: the optimizer's step count, and all that constraints make
      tf.engine().startScope();
      await model.save(handler, {includeOptimizer: true});
      const text = JSON.parse(JSON.stringify(artifacts!.modelTopology));
      const loaded = await tf.loadLayersModel(
        tf.io.fromMemory({...artifacts!, modelTopology: text}),
      );
      tf.engine().endScope();
      const got = loaded.predict(given) as tf.Tensor;
      expect(await got.data()).toEqual(await expected.data());
      expect(loaded.getLayer('tested').getConfig()).toEqual(config);
      expect(loaded.loss).toBe('meanSquaredError');

      const bare = await tf.models.modelFromJSON(text);
      expect(bare.getLayer('tested').getConfig()).toEqual(config);
      tf.dispose([given, expected, got]);
      for (const each of [model, loaded, bare]) {
        each.optimizer?.dispose();
        each.dispose();
      }
    });

    test('the mask of the first input goes on, in a tensor of its own', () => {
      const layer = make({});
      const given = values(inputs);
      const mask = tf.ones(given[0].shape.slice(0, -1), 'bool');
      const rest = inputs.slice(1).map(() => null) as unknown as tf.Tensor[];
      const passed = layer.computeMask(given, [mask, ...rest]) as tf.Tensor;
      expect(passed.shape).toEqual(mask.shape);
      passed.dispose();
      expect(mask.isDisposed).toBe(false);
      expect(layer.computeMask(given, undefined as unknown as tf.Tensor)).toBeNull();
      tf.dispose([given, mask]);
    });
  });
}

/** A model around the layer alone. */
function modelOf(
  layer: tf.layers.Layer,
  inputs: readonly {shape: readonly (number | null)[]; dtype?: tf.DataType}[],
): tf.LayersModel {
  const symbolic = inputs.map(({shape, dtype}) => tf.input({shape: [...shape], dtype}));
  const list = symbolic.length === 1 ? symbolic[0] : symbolic;
  return tf.model({inputs: symbolic, outputs: layer.apply(list) as tf.SymbolicTensor});
}

/** The same numbers at every call. */
function values(inputs: readonly ContractInput[]): tf.Tensor[] {
  return inputs.map(({shape, dtype = 'float32'}, i) =>
    tf.tidy(() => {
      const x = tf.randomNormal([BATCH, ...shape], 0, 1, 'float32', 11 + i);
      return dtype === 'bool' ? tf.greater(x, -1) : x;
    }),
  );
}

function layerConfig(model: {config: unknown}, name: string): Record<string, unknown> {
  const {layers} = model.config as {layers: {config: Record<string, unknown>}[]};
  return {...layers.find(({config}) => config.name === name)!.config};
}

async function weightValues(layer: tf.layers.Layer): Promise<Float32Array[]> {
  return Promise.all(layer.getWeights().map((weight) => weight.data() as Promise<Float32Array>));
}

function same(a: Float32Array, b: Float32Array): boolean {
  return a.every((value, i) => value === b[i]);
}
