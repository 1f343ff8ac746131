import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {Conversation, bytesOf, python} from '../candidates/peers/conversation';
import {BETA1, EPSILON, FIRST_STEPS, Model, built, idsOf} from './index';
import {start} from '../start';
import {programOf} from './program';

/** PyTorch with the original LocalMHA, and the weights that TF.js begins with. */
export async function pytorch(model: Model, threads: number): Promise<Conversation> {
  const conversation = python('pytorch_model.py');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-pytorch-'));
  const close = () => {
    conversation.close();
    fs.rmSync(folder, {recursive: true, force: true});
  };
  process.once('exit', close); // also after an error

  await start('cpu', threads);
  const layers = programOf(built(model, 'auto'));
  const file = path.join(folder, 'weights');
  fs.writeFileSync(file, '');
  for (const {values} of layers.flatMap(({weights}) => weights)) {
    fs.appendFileSync(file, bytesOf(values));
  }
  fs.appendFileSync(file, bytesOf(idsOf(model)));
  const {vocabulary, reads, batch, length, rate, beta2} = model;
  const task = {vocabulary, reads, batch, length, rate, beta1: BETA1, beta2, epsilon: EPSILON};
  const shapes = layers.map(({weights, ...layer}) => ({
    ...layer,
    weights: weights.map(({name, shape}) => ({name, shape})),
  }));
  return {
    ask: (message) =>
      message.op === 'load'
        ? conversation.ask({op: 'load', ...task, layers: shapes, steps: FIRST_STEPS, threads, file})
        : conversation.ask(message),
    close,
  };
}
