/**
 * Models that earlier versions saved. test/fixtures/model_0.1.0 holds what commit 09f6232 wrote of
 * a model with each of the layers, by fileSystem, and what it predicted on cpu.
 */
import {readFileSync} from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';

import '../../src';
import {fileSystem} from '../../src/node';
import {BACKENDS, useBackend} from '../support/backends';
import {expectClose} from '../support/close';
import {outputTolerance} from '../support/tolerance';

const FOLDER = path.join(__dirname, '..', 'fixtures', 'model_0.1.0');

test.each(BACKENDS)('a model that 0.1.0 saved loads and predicts the same: %s', async (backend) => {
  await useBackend(backend);
  const {shape, input, output} = JSON.parse(
    readFileSync(path.join(FOLDER, 'prediction.json'), 'utf8'),
  );
  const model = await tf.loadLayersModel(fileSystem(FOLDER));
  expect(model.layers.map((layer) => layer.getClassName())).toEqual([
    'InputLayer',
    'LocalMHA',
    'RotaryEmbedding',
    'LocalAttention',
  ]);
  const x = tf.tensor(input, shape);
  const predicted = model.predict(x) as tf.Tensor;
  const tolerance = outputTolerance({d: 6, context: 8, largestScore: 8});
  await expectClose('prediction', predicted, {shape, data: output}, tolerance);
  tf.dispose([x, predicted]);
  model.dispose();
});
