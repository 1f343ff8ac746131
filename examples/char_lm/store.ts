import * as tf from '@tensorflow/tfjs';
import 'tfjs-local-attention'; // so that TF.js knows its layers when it loads a model
import {fileSystem} from 'tfjs-local-attention/node';

import {Alphabet} from './alphabet';

/** A model with what a second process must know to use it. */
export interface CharacterModel {
  model: tf.LayersModel;
  alphabet: Alphabet;
}

/** Writes everything into `directory`: model.json, which also holds the alphabet, and weights.bin. */
export async function save({model, alphabet}: CharacterModel, directory: string) {
  model.setUserDefinedMetadata({alphabet: alphabet.characters});
  await model.save(fileSystem(directory));
}

export async function load(directory: string): Promise<CharacterModel> {
  const model = await tf.loadLayersModel(fileSystem(directory));
  const metadata = model.getUserDefinedMetadata() as Record<string, unknown> | undefined;
  const {alphabet: characters} = metadata ?? {};
  const complain = (what: string) => {
    throw new Error(`${directory} holds a model, but not one that npm start made: ${what}.`);
  };
  if (typeof characters !== 'string') {
    return complain(`its alphabet must be a string, and is ${JSON.stringify(characters)}`);
  }
  const alphabet = new Alphabet(characters);
  const size = model.outputs[0].shape.at(-1);
  if (alphabet.size !== size) {
    return complain(`it knows ${size} characters, and its alphabet has ${alphabet.size}`);
  }
  return {model, alphabet};
}
