/**
 * Takes a model that was trained on a cluster in PyTorch, answers as it does, trains it on, and gives it
 * back:
 *
 *     node --import tsx examples/cluster/continue.ts FOLDER
 *
 * FOLDER is train.py's. It gets continued.safetensors, and continued.json with the logits of now.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

import * as tf from '@tensorflow/tfjs';
import {
  LocalTransformerArgs,
  loadCheckpoint,
  localTransformer,
  saveCheckpoint,
} from 'tfjs-local-attention';

const STEPS = 5;
const RATE = 0.3;

interface Probe {
  config: LocalTransformerArgs;
  ids: number[][];
  logits: number[][][];
}

async function main(folder: string) {
  const {config, ids, logits} = JSON.parse(read(folder, 'probe.json').toString()) as Probe;
  const model = localTransformer(config);
  const {loaded, ignored} = await loadCheckpoint(model, read(folder, 'model.safetensors'));
  console.log(`loaded ${loaded.length} tensors, ignored ${ignored.length} buffers`);

  const tokens = tf.tensor2d(ids, undefined, 'int32');
  const answer = model.apply(tokens) as tf.Tensor;
  const [error] = await tf.max(tf.abs(tf.sub(answer, tf.tensor3d(logits)))).data();
  console.log(`the logits differ from PyTorch's by ${error.toExponential(1)}`);
  if (!(error <= 1e-4)) process.exitCode = 1;

  const losses = continueTraining(model, tokens);
  console.log(`trained on: loss ${losses[0].toFixed(3)}, then ${losses[STEPS - 1].toFixed(3)}`);

  writeFileSync(join(folder, 'continued.safetensors'), await saveCheckpoint(model));
  const continued = await (model.apply(tokens) as tf.Tensor).array();
  writeFileSync(join(folder, 'continued.json'), JSON.stringify({config, ids, logits: continued}));
}

/** Some steps of gradient descent on the next tokens; the loss of each. */
function continueTraining(model: tf.LayersModel, tokens: tf.Tensor2D): number[] {
  const [batch, n] = tokens.shape;
  const inputs = tf.slice(tokens, [0, 0], [batch, n - 1]);
  const labels = tf.slice(tokens, [0, 1], [batch, n - 1]);
  const optimizer = tf.train.sgd(RATE);
  return Array.from({length: STEPS}, () => {
    const loss = optimizer.minimize(() => {
      const logits = model.apply(inputs, {training: true}) as tf.Tensor3D;
      const wanted = tf.oneHot(labels, logits.shape[2]);
      return tf.losses.softmaxCrossEntropy(wanted, logits) as tf.Scalar;
    }, true)!;
    return loss.dataSync()[0];
  });
}

function read(folder: string, name: string): Buffer {
  return readFileSync(join(folder, name));
}

void main(process.argv[2]);
