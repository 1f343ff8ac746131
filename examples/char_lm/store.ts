import * as tf from '@tensorflow/tfjs';
import 'tfjs-local-attention'; // so that TF.js knows its layers when it loads a model
import {fileSystem} from 'tfjs-local-attention/node';

import {Alphabet} from './alphabet';

/** A model with what a second process must know to use it. */
export interface CharacterModel {
  model: tf.LayersModel;
  alphabet: Alphabet;
  /** How many characters the next one depends on. */
  context: number;
}

/** Writes everything into `directory`: model.json, which also holds the alphabet, and weights.bin. */
export async function save({model, alphabet, context}: CharacterModel, directory: string) {
  model.setUserDefinedMetadata({alphabet: alphabet.characters, context});
  await model.save(fileSystem(directory));
}

export async function load(directory: string): Promise<CharacterModel> {
  const model = await tf.loadLayersModel(fileSystem(directory));
  const metadata = model.getUserDefinedMetadata() as Record<string, unknown> | undefined;
  const {alphabet: characters, context} = metadata ?? {};
  const complain = (what: string) => {
    throw new Error(`${directory} holds a model, but not one that npm start made: ${what}.`);
  };
  if (typeof characters !== 'string') {
    return complain(`its alphabet must be a string, and is ${JSON.stringify(characters)}`);
  }
  if (!Number.isSafeInteger(context) || (context as number) < 1) {
    return complain(
      `its context must be a whole number, 1 or more, and is ${JSON.stringify(context)}`,
    );
  }
  const alphabet = new Alphabet(characters);
  const size = model.inputs[0].shape.at(-1);
  if (alphabet.size !== size) {
    return complain(`it reads ${size} characters, and its alphabet has ${alphabet.size}`);
  }
  return {model, alphabet, context: context as number};
}
