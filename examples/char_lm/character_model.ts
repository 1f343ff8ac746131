import * as tf from '@tensorflow/tfjs';
import 'tfjs-local-attention'; // so that TF.js knows its layers when it loads a model

import {Alphabet} from './alphabet';

/** A model with what a second process must know to use it. */
export interface CharacterModel {
  model: tf.LayersModel;
  alphabet: Alphabet;
}

/** Puts the alphabet where a saved model keeps it, and returns the model. */
export function withAlphabet({model, alphabet}: CharacterModel): tf.LayersModel {
  model.setUserDefinedMetadata({...model.getUserDefinedMetadata(), alphabet: alphabet.characters});
  return model;
}

/**
 * A loaded model with the alphabet that was saved in it.
 *
 * @throws if there is none, or one of another size; `place` is what the message calls the model's
 */
export function characterModel(model: tf.LayersModel, place: string): CharacterModel {
  const metadata = model.getUserDefinedMetadata() as Record<string, unknown> | undefined;
  const {alphabet: characters} = metadata ?? {};
  const complain = (what: string) => {
    throw new Error(`${place} holds a model, but not one that npm start made: ${what}.`);
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
