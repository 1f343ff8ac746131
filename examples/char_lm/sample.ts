import * as tf from '@tensorflow/tfjs';

import {Alphabet} from './alphabet';
import {oneHot} from './batches';
import {randomNumbers} from './random';
import {CharacterModel} from './store';

export interface SampleOptions {
  /** How many characters to add. */
  characters: number;
  /** 0 always takes the likeliest character; 1 draws from the model's own distribution. */
  temperature: number;
  seed: number;
}

/** What the model writes after `prompt`. */
export async function continueText(
  {model, alphabet, context}: CharacterModel,
  prompt: string,
  {characters, temperature, seed}: SampleOptions,
): Promise<string> {
  checkPrompt(prompt, alphabet);
  const random = randomNumbers(seed);
  const ids = [...alphabet.encode(prompt)];
  for (let i = 0; i < characters; i++) {
    const seen = Int32Array.from(ids.slice(-context)); // all that the model can see
    ids.push(choose(await lastLogits(model, seen, alphabet.size), temperature, random()));
  }
  return alphabet.decode(ids.slice(-characters));
}

/** @throws if there is no prompt, or one that the model cannot read */
export function checkPrompt(prompt: string, alphabet: Alphabet): void {
  if (prompt === '') throw new Error('the prompt must have at least one character.');
  const missing = alphabet.missing(prompt);
  if (missing.length === 0) return;
  const named = missing.map((character) => JSON.stringify(character)).join(', ');
  throw new Error(`the prompt has characters that the model has never read: ${named}.`);
}

async function lastLogits(model: tf.LayersModel, ids: Int32Array, size: number) {
  const last = tf.tidy(() => {
    const logits = model.predictOnBatch(oneHot(ids, ids.length, size)) as tf.Tensor;
    return tf.slice(logits, [0, ids.length - 1, 0], [1, 1, size]);
  });
  const values = await last.data();
  last.dispose();
  return values as Float32Array;
}

/** A character's number, never 0, which stands for no character in particular. */
export function choose(logits: ArrayLike<number>, temperature: number, random: number): number {
  let best = 1;
  for (let id = 2; id < logits.length; id++) if (logits[id] > logits[best]) best = id;
  if (temperature === 0) return best;

  const weights = Array.from(logits, (logit) => Math.exp((logit - logits[best]) / temperature));
  weights[0] = 0;
  let left = random * weights.reduce((sum, weight) => sum + weight);
  const drawn = weights.findIndex((weight) => (left -= weight) < 0);
  return drawn > 0 ? drawn : best; // rounding may leave a rest
}
