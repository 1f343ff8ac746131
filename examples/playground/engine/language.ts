/** The language model that ships with the page: its alphabet and its weights. */
import type * as tf from '@tensorflow/tfjs';
import {loadCheckpoint} from 'tfjs-local-attention';

import {Alphabet} from '../../char_lm/alphabet';
import {buildModel} from '../../char_lm/model';
import config from '../model/config.json';
import weights from '../model/weights.safetensors?url';

/** A model with what one must know to speak with it. */
export interface Language {
  model: tf.LayersModel;
  alphabet: Alphabet;
}

let loading: Promise<Language> | null = null;

/** The shipped model on the backend of this worker, which has started; loaded once. */
export function loadLanguage(): Promise<Language> {
  loading ??= load().catch((error) => {
    loading = null; // it may come when it is asked for again
    throw error;
  });
  return loading;
}

async function load(): Promise<Language> {
  const file = fetch(new URL(weights, import.meta.url));
  const alphabet = new Alphabet(config.alphabet);
  const model = buildModel(alphabet.size, config.shape);
  const response = await file;
  if (!response.ok)
    throw new Error(`the weights did not come: ${response.status} for ${response.url}`);
  await loadCheckpoint(model, new Uint8Array(await response.arrayBuffer()));
  return {model, alphabet};
}
