/** This package's model in a process of its own. Started by ours.ts. */
import {readFileSync} from 'node:fs';

import * as tf from '@tensorflow/tfjs';
import {
  generate,
  languageModelLoss,
  loadCheckpoint,
  localTransformer,
  ready,
  registerFasterKernels,
} from 'tfjs-local-attention';

import type {Json} from '../candidates/peers/conversation';
import {countMemories, peakOf} from '../memory';
import {start} from '../start';
import {Load, Message, RATE, configOf} from './task';

let model: tf.LayersModel;
let step: () => tf.Scalar;
let prompt: number[];

async function load({shape, threads, weights, ids}: Load): Promise<Json> {
  countMemories();
  await start('wasm', threads);
  await ready({threads});
  registerFasterKernels();
  model = localTransformer(configOf(shape));
  await loadCheckpoint(model, new Uint8Array(readFileSync(weights)));
  prompt = ids.slice(0, shape.prompt);
  const text = tf.tensor2d(ids, [1, ids.length], 'int32');
  const optimizer = tf.train.adam(RATE);
  step = () => {
    const loss = () => languageModelLoss(model.apply(text, {training: true}) as tf.Tensor, text);
    return tf.tidy(() => optimizer.minimize(loss, true)!);
  };
  const losses = [];
  for (let at = 0; at < 3; at++) losses.push(await taken());
  return {losses};
}

async function taken(): Promise<number> {
  const loss = step();
  const [value] = await loss.data();
  loss.dispose();
  return value;
}

async function timed(compute: () => Promise<unknown>, calls: number): Promise<number> {
  const begin = performance.now();
  for (let call = 0; call < calls; call++) await compute();
  return (performance.now() - begin) / calls;
}

async function write(maxTokens: number): Promise<void> {
  const tokens = generate(model, prompt, {maxTokens, temperature: 0});
  while (!(await tokens.next()).done);
}

async function answer(message: Message): Promise<Json> {
  switch (message.op) {
    case 'load':
      return load(message);
    case 'train':
      return {ms: await timed(taken, message.calls)};
    case 'generate':
      return {ms: await timed(() => write(message.tokens), 1)};
    case 'memory': {
      const {results, peakMiB} = await peakOf(
        () => [step()],
        () => step().dispose(),
      );
      tf.dispose(results);
      return {peakMiB};
    }
  }
}

process.on('message', async (message: Message) => {
  const failed = (error: Error) => ({error: error.message.split('\n')[0]});
  process.send!(await answer(message).catch(failed));
});
