/** A step of training the model of `npm start`, in its sizes, on characters drawn by chance. */
import * as tf from '@tensorflow/tfjs';

import {windowsAt} from '../../examples/char_lm/batches';
import {ModelShape, buildModel} from '../../examples/char_lm/model';
import {randomNumbers} from '../../examples/char_lm/random';
import {crossEntropy} from '../../examples/char_lm/training';
import {Skipped} from '../candidate';
import {GpuCandidate, kernelsOf} from './candidate';

const ALPHABET = 78;
const BATCH = 4;
const LENGTH = 128;
const SHAPE = {dim: 64, heads: 2, depth: 2, window: 8, seed: 1} satisfies ModelShape;
const RATE = 3e-3;
const EPSILON = 1e-7; // that of adam on cpu; webgl would take that for float16

/** Whose losses are compared. */
const FIRST_STEPS = 3;
/** Adam divides by what may be small, and three times. */
const LARGEST_ERROR = 1e-3;

export type Losses = readonly number[];

export const stepMakers = {
  fused: () => steps('fused'),
  composite: () => steps('composite'),
};

/** The first losses on the current backend, with which those of others are compared. */
export async function expectedLosses(): Promise<Losses> {
  const {results, close} = await steps('composite');
  const [losses] = await results();
  close();
  return Array.from(losses);
}

/** @throws if the losses are others */
export function lossError(candidate: string, expected: Losses, losses: ArrayLike<number>): number {
  const errors = expected.map((loss, at) => Math.abs(loss - losses[at]));
  const at = errors.findIndex((error) => !(error <= LARGEST_ERROR));
  if (at < 0) return Math.max(...errors);
  throw new Error(
    `candidate ${candidate} is wrong: loss ${at} is ${losses[at]}, not ${expected[at]}.`,
  );
}

async function steps(implementation: 'fused' | 'composite'): Promise<GpuCandidate> {
  const model = buildModel(ALPHABET, {...SHAPE, implementation});
  model.compile({optimizer: tf.train.adam(RATE, 0.9, 0.99, EPSILON), loss: crossEntropy});
  const random = randomNumbers(1);
  const text = Int32Array.from({length: BATCH * (LENGTH + 1)}, () => random() * ALPHABET);
  const starts = Array.from({length: BATCH}, (_, row) => row * (LENGTH + 1));
  const {input, target} = windowsAt(text, starts, LENGTH, ALPHABET);
  const step = () => model.trainOnBatch(input, target) as Promise<number>;

  const first = await kernelsOf(step).catch(refused);
  const losses = [first.result];
  if (implementation === 'fused' && !first.kernels.includes('LocalAttentionGrad')) {
    throw new Skipped('its gradient is composed here');
  }
  while (losses.length < FIRST_STEPS) losses.push(await step());
  return {
    name: implementation,
    kernels: first.kernels.length,
    async time(calls) {
      const start = performance.now();
      for (let call = 0; call < calls; call++) await step();
      return (performance.now() - start) / calls;
    },
    results: async () => [losses],
    peakMiB: () => null,
    close() {
      tf.dispose([input, target]);
      model.dispose();
    },
  };
}

function refused(error: Error): never {
  const refusal = error.message.match(/(no fused kernel [^;]*)/);
  throw refusal ? new Skipped(refusal[1]) : error;
}
