/** A model off its device, as TF.js saves it, and the same model again on another. */
import * as tf from '@tensorflow/tfjs';

export async function artifactsOf(model: tf.LayersModel): Promise<tf.io.ModelArtifacts> {
  let kept!: tf.io.ModelArtifacts;
  const handler = tf.io.withSaveHandler(async (artifacts) => {
    kept = artifacts;
    return {modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts)};
  });
  await model.save(handler);
  return kept;
}

/** On the backend of now. */
export function modelOf(artifacts: tf.io.ModelArtifacts): Promise<tf.LayersModel> {
  return tf.loadLayersModel(tf.io.fromMemory(artifacts));
}

/** The two files that `npm run generate`, tf.loadLayersModel and this page read. */
export function filesOf(artifacts: tf.io.ModelArtifacts): Record<string, Blob> {
  const {weightSpecs = [], weightData = [], ...rest} = artifacts;
  const weights = tf.io.CompositeArrayBuffer.join(weightData as ArrayBuffer | ArrayBuffer[]);
  const weightsManifest = [{paths: ['weights.bin'], weights: weightSpecs}];
  return {
    'model.json': new Blob([JSON.stringify({...rest, weightsManifest})], {
      type: 'application/json',
    }),
    'weights.bin': new Blob([weights], {type: 'application/octet-stream'}),
  };
}
