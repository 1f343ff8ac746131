/** Whole models, and what a step of their training is given. */
import * as tf from '@tensorflow/tfjs';
import type {Implementation} from 'tfjs-local-attention';

import {oneHot} from '../../examples/char_lm/batches';
import {buildModel} from '../../examples/char_lm/model';
import {randomNumbers} from '../../examples/char_lm/random';
import {crossEntropy} from '../../examples/char_lm/training';
import {buildM1} from './m1';

export interface Model {
  name: string;
  build(implementation: Implementation): tf.LayersModel;
  vocabulary: number;
  /** Whether it reads ids [B, n], or vectors [B, n, vocabulary] with a 1 each. */
  reads: 'ids' | 'oneHot';
  batch: number;
  length: number;
  /** Of adam. */
  rate: number;
  beta2: number;
}

const M1: Model = {
  name: 'M1',
  build: buildM1,
  vocabulary: 256,
  reads: 'ids',
  batch: 2,
  length: 512,
  rate: 1e-3,
  beta2: 0.999,
};

const ALPHABET = 78;

/** That of `npm start`. */
const M2: Model = {
  name: 'M2',
  build: (implementation) =>
    buildModel(ALPHABET, {dim: 64, heads: 2, depth: 2, window: 8, seed: 1, implementation}),
  vocabulary: ALPHABET,
  reads: 'oneHot',
  batch: 4,
  length: 128,
  rate: 3e-3,
  beta2: 0.99,
};

export const MODELS: Readonly<Record<string, Model>> = {M1, M2};

export const BETA1 = 0.9;
/** Of adam, on every backend: that of webgl would be for float16. */
export const EPSILON = 1e-7;

/** How many batches there are, and how many first losses are compared. */
export const FIRST_STEPS = 10;

/** The model, ready for trainOnBatch: the loss is in nats a token, the mean over all. */
export function compiled(model: Model, implementation: Implementation): tf.LayersModel {
  const built = model.build(implementation);
  const optimizer = tf.train.adam(model.rate, BETA1, model.beta2, EPSILON);
  built.compile({optimizer, loss: crossEntropy});
  return built;
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
      Int32Array.from(rows.flatMap((start) => [...all.subarray(start + shift, start + shift + length)])); // prettier-ignore
    const [read, next] = [ids(0), ids(1)];
    return {
      input: reads === 'ids' ? tf.tensor2d(read, [batch, length], 'int32') : oneHot(read, length, vocabulary), // prettier-ignore
      target: oneHot(next, length, vocabulary),
    };
  });
}
