import fs from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {fail, failType} from '../check/errors';
import {load} from './load';
import {MODEL, replace, WEIGHTS} from './model_files';
import {checkSize, checkSpecs} from './weight_specs';

const FN = 'fileSystem';

/**
 * Saves a model to disk and loads it, without tfjs-node:
 * `await model.save(fileSystem('models/a'))`, `await tf.loadLayersModel(fileSystem('models/a'))`.
 *
 * The directory, made if need be, gets `model.json` and `weights.bin`; its other files are left
 * alone. They are the files of tfjs-node's `file://`, so a browser can load them over http. A load
 * also reads what tfjs-node and the TF.js converter wrote, in any number of weight files.
 *
 * A model is saved whole or not at all. After an error the earlier model is as it was and nothing
 * else is left. After a crash or a power cut `fileSystem` loads the earlier model or the new one;
 * other loaders load one of the two or, finding no `model.json`, fail. Nobody gets the topology of
 * one with the weights of the other. While another process saves, `fileSystem` loads the earlier
 * model or the new one. Not guaranteed: two processes saving to one directory at once; a power cut
 * on a disk that does not honour fsync. During a save the disk holds both models. Reading and
 * writing block the event loop, so that the saves and loads of one process never interleave.
 *
 * @param directory Path of the model's directory; to load, also the path of a `model.json`.
 */
export function fileSystem(directory: string): tf.io.IOHandler {
  const rule = 'directory must be a non-empty string';
  if (typeof directory !== 'string') failType(FN, rule, directory);
  if (directory === '') fail(FN, rule, directory);
  if (/^\w{2,}:\/\//.test(directory)) fail(FN, 'directory must be a path, not a URL', directory);
  const given = path.resolve(directory);
  return {
    save: async (artifacts) => save(given, artifacts),
    load: async () => load(namesFile(given) ? given : path.join(given, MODEL)),
  };
}

function save(directory: string, artifacts: tf.io.ModelArtifacts): tf.io.SaveResult {
  const {weightSpecs = [], weightData = [], ...rest} = artifacts;
  if (rest.modelTopology instanceof ArrayBuffer) {
    failType(FN, 'modelTopology must be a JSON object', rest.modelTopology);
  }
  if (namesFile(directory)) fail(FN, 'to save, name the directory, not a file in it', directory);
  const weights = Array.isArray(weightData)
    ? tf.io.CompositeArrayBuffer.join(weightData)
    : weightData;
  checkSpecs(weightSpecs);
  checkSize('weightData', new DataView(weights), weightSpecs);

  const weightsManifest = [{paths: [WEIGHTS], weights: weightSpecs}];
  replace(directory, JSON.stringify({...rest, weightsManifest}), weights);
  return {modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts)};
}

function namesFile(given: string): boolean {
  try {
    return !fs.statSync(given).isDirectory();
  } catch {
    return given.endsWith('.json');
  }
}
