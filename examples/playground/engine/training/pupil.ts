/** The model that is trained, and what is known of it. */
import * as tf from '@tensorflow/tfjs';

import {CharacterModel, characterModel, withAlphabet} from '../../../char_lm/character_model';
import {artifactsOf, modelOf} from './artifacts';

export interface Pupil {
  written: CharacterModel;
  /** That it has been trained, as far as is known. */
  steps: number;
  /** Per held-out character, when it was last asked. */
  bits: number | null;
}

/** For the page to show. */
export interface PupilFacts {
  weights: number;
  characters: number;
  dim: number;
  heads: number;
  depth: number;
  window: number;
  steps: number;
  bits: number | null;
}

export function factsOf({written, steps, bits}: Pupil): PupilFacts {
  const {model, alphabet} = written;
  const blocks = model.layers.filter((one) => one.getClassName() === 'LocalTransformerBlock');
  const {dim, heads, windowSize} = blocks[0].getConfig() as Record<string, number>;
  return {
    ...{weights: model.countParams(), characters: alphabet.size},
    ...{dim, heads, depth: blocks.length, window: windowSize, steps, bits},
  };
}

export async function pupilArtifacts({written, steps, bits}: Pupil): Promise<tf.io.ModelArtifacts> {
  const model = withAlphabet(written);
  model.setUserDefinedMetadata({...model.getUserDefinedMetadata(), steps, bits});
  return artifactsOf(model);
}

export async function pupilOf(artifacts: tf.io.ModelArtifacts): Promise<Pupil> {
  return asPupil(await modelOf(artifacts), 'The memory of this page');
}

/** @throws in a sentence, if it is no language model of characters */
export function asPupil(model: tf.LayersModel, place: string): Pupil {
  const written = characterModel(model, place);
  if (!model.layers.some((one) => one.getClassName() === 'LocalTransformerBlock')) {
    throw new Error(`${place} holds a model of characters, but not one of localTransformer.`);
  }
  const {steps, bits} = model.getUserDefinedMetadata() as Record<string, unknown>;
  return {
    written,
    steps: typeof steps === 'number' ? steps : 0,
    bits: typeof bits === 'number' ? bits : null,
  };
}
