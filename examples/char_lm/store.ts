import * as tf from '@tensorflow/tfjs';
import 'tfjs-local-attention'; // so that TF.js knows its layers when it loads a model
import {fileSystem} from 'tfjs-local-attention/node';

import {Alphabet} from './alphabet';
import './layers'; // and these

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
  const metadata = model.getUserDefinedMetadata() as
    {alphabet?: string; context?: number} | undefined;
  if (metadata?.alphabet === undefined || metadata.context === undefined) {
    throw new Error(`${directory} holds a model, but not one that npm start made.`);
  }
  return {model, alphabet: new Alphabet(metadata.alphabet), context: metadata.context};
}
