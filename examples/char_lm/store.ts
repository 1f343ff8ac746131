import * as tf from '@tensorflow/tfjs';
import {fileSystem} from 'tfjs-local-attention/node';

import {CharacterModel, characterModel, withAlphabet} from './character_model';

/** Writes everything into `directory`: model.json, which also holds the alphabet, and weights.bin. */
export async function save(written: CharacterModel, directory: string) {
  await withAlphabet(written).save(fileSystem(directory));
}

export async function load(directory: string): Promise<CharacterModel> {
  return characterModel(await tf.loadLayersModel(fileSystem(directory)), directory);
}
