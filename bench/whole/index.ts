/** The models, built; and what a step of their training is given. */
import * as tf from '@tensorflow/tfjs';
import type {Implementation} from 'tfjs-local-attention';

import {randomNumbers} from '../../examples/char_lm/random';
import {buildM1} from './m1';
import {buildM2, crossEntropy, oneHot} from './m2';
import {BETA1, EPSILON, FIRST_STEPS, Model} from './models';

export {BETA1, EPSILON, FIRST_STEPS, MODELS} from './models';
export type {Model} from './models';

const M2 = {dim: 64, heads: 2, depth: 2, window: 8, seed: 1};

export function built({name, vocabulary}: Model, implementation: Implementation): tf.LayersModel {
  return name === 'M1' ? buildM1(implementation) : buildM2(vocabulary, {...M2, implementation});
}

/** The model, ready for trainOnBatch: the loss is in nats a token, the mean over all. */
export function compiled(model: Model, implementation: Implementation): tf.LayersModel {
  const trained = built(model, implementation);
  const optimizer = tf.train.adam(model.rate, BETA1, model.beta2, EPSILON);
  trained.compile({optimizer, loss: crossEntropy});
  return trained;
}

/**
 * Ids [FIRST_STEPS · B · (length + 1)] in which the next is one of three that follow from the last,
 * so that there is something to learn.
 */
export function idsOf({vocabulary, batch, length}: Model): Int32Array {
  const random = randomNumbers(1);
  const ids = new Int32Array(FIRST_STEPS * batch * (length + 1));
  for (let i = 0; i < ids.length; i++) {
    const begins = i % (length + 1) === 0;
    const drawn = Math.floor(random() * (begins ? vocabulary : 3));
    ids[i] = begins ? drawn : (5 * ids[i - 1] + drawn) % vocabulary;
  }
  return ids;
}

/** What each step reads, and the tokens after it, [B, n, vocabulary] with a 1 each. The caller disposes them. */
export function batchesOf(model: Model): {input: tf.Tensor; target: tf.Tensor}[] {
  const {vocabulary, batch, length, reads} = model;
  const all = idsOf(model);
  return Array.from({length: FIRST_STEPS}, (_, step) => {
    const rows = Array.from({length: batch}, (_, row) => (step * batch + row) * (length + 1));
    const ids = (shift: number) =>
      Int32Array.from(
        rows.flatMap((start) => [...all.subarray(start + shift, start + shift + length)]),
      );
    const [read, next] = [ids(0), ids(1)];
    return {
      input:
        reads === 'ids'
          ? tf.tensor2d(read, [batch, length], 'int32')
          : oneHot(read, length, vocabulary),
      target: oneHot(next, length, vocabulary),
    };
  });
}
