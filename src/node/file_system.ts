import fs from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {fail, failType, refuse} from '../check/errors';
import {find, MODEL, replace, WEIGHTS} from './model_files';

const FN = 'fileSystem';

/** Bytes per value, by `dtype` and by `quantization.dtype`; strings have no fixed size. */
const BYTES: Record<string, number> = {
  ...{float32: 4, int32: 4, bool: 1, complex64: 8},
  ...{float16: 2, uint16: 2, uint8: 1},
};

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
 * one with the weights of the other. Not guaranteed: two processes saving to one directory at once
 * (others may load meanwhile); a power cut on a disk that does not honour fsync. During a save the
 * disk holds both models. Reading and writing block the event loop, so that the saves and loads of
 * one process never interleave.
 *
 * @param directory Path of the model's directory; to load, also the path of a `model.json`.
 */
export function fileSystem(directory: string): tf.io.IOHandler {
  const rule = 'directory must be a non-empty string';
  if (typeof directory !== 'string') failType(FN, rule, directory);
  if (directory === '') fail(FN, rule, directory);
  if (/^\w{2,}:\/\//.test(directory)) fail(FN, 'directory must be a path, not a URL', directory);
  const given = path.resolve(directory);
  return {save: async (artifacts) => save(given, artifacts), load: async () => load(given)};
}

function save(directory: string, artifacts: tf.io.ModelArtifacts): tf.io.SaveResult {
  const {weightSpecs = [], weightData = [], ...rest} = artifacts;
  if (rest.modelTopology instanceof ArrayBuffer) {
    failType(FN, 'modelTopology must be a JSON object', rest.modelTopology);
  }
  if (namesFile(directory)) fail(FN, 'to save, name the directory, not a file in it', directory);
  const weights = Buffer.concat([weightData].flat().map((part) => new Uint8Array(part)));
  checkSize(weights, weightSpecs, 'weightData');

  const weightsManifest = [{paths: [WEIGHTS], weights: weightSpecs}];
  replace(directory, JSON.stringify({...rest, weightsManifest}), weights);
  return {modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts)};
}

function load(given: string): tf.io.ModelArtifacts {
  const {dir: directory, base: name} = path.parse(
    namesFile(given) ? given : path.join(given, MODEL),
  );
  for (;;) {
    const file = find(directory, name);
    if (file == null) {
      const remedy = `give the directory a model was saved to, or the path of its ${MODEL}`;
      return refuse(FN, `there is no ${name} in ${directory}: ${remedy}`);
    }
    // if another process saves meanwhile, what was read is half old, half new: read again
    const before = version(file);
    try {
      const artifacts = read(file, directory);
      if (version(file) === before) return artifacts;
    } catch (error) {
      if (version(file) === before) throw error;
    }
  }
}

function namesFile(given: string): boolean {
  return fs.existsSync(given) ? !fs.statSync(given).isDirectory() : given.endsWith('.json');
}

/** Differs after a save has moved the file or put another in its place. */
function version(file: string): string | undefined {
  const stat = fs.statSync(file, {bigint: true, throwIfNoEntry: false});
  return stat && `${stat.ino} ${stat.ctimeNs}`;
}

function read(file: string, directory: string): tf.io.ModelArtifacts {
  const model = parse(file);
  const groups = model.weightsManifest.map(({paths, weights}) => {
    const files = paths.map((name) => weightFile(name, file, directory));
    // a weight may begin in one file and end in the next
    const bytes = Buffer.concat(files.map((found) => fs.readFileSync(found)));
    checkSize(bytes, weights, files.join(' + '));
    return bytes;
  });
  const weightSpecs = tf.io.getWeightSpecs(model.weightsManifest);
  const weightData = new Uint8Array(Buffer.concat(groups)).buffer; // of its own: Node pools buffers
  return tf.io.getModelArtifactsForJSONSync(model, weightSpecs, weightData);
}

function parse(file: string): tf.io.ModelJSON {
  const text = fs.readFileSync(file, 'utf8');
  let model: Partial<tf.io.ModelJSON> | null;
  try {
    model = JSON.parse(text);
  } catch (error) {
    return refuse(FN, `${file} is not JSON (${(error as Error).message})`);
  }
  const {modelTopology, weightsManifest} = model ?? {};
  const complete =
    modelTopology != null &&
    Array.isArray(weightsManifest) &&
    weightsManifest.every((group) => Array.isArray(group?.paths) && Array.isArray(group?.weights));
  if (complete) return model as tf.io.ModelJSON;
  const rule = 'needs a modelTopology, and a weightsManifest whose groups list paths and weights';
  return refuse(FN, `${file} is not a TensorFlow.js model: it ${rule}`);
}

function weightFile(name: string, file: string, directory: string): string {
  const inside = path.relative(directory, path.resolve(directory, name));
  if (inside.split(path.sep)[0] === '..' || path.isAbsolute(inside)) {
    fail(FN, `${file} must name weight files inside its directory`, name);
  }
  // with a crash amid the moves, weights.bin may or may not be beside the model.json to read
  const places = [path.dirname(file), directory];
  const found = places.map((place) => path.join(place, name)).find((at) => fs.existsSync(at));
  return found ?? refuse(FN, `${file} names ${name}, which is not in ${directory}: copy it there`);
}

function checkSize(bytes: Buffer, specs: tf.io.WeightsManifestEntry[], where: string): void {
  let described = 0;
  for (const {name, shape, dtype, quantization} of specs) {
    const stored = quantization?.dtype ?? dtype;
    const values = tf.util.sizeFromShape(shape);
    if (stored in BYTES) {
      described += values * BYTES[stored];
    } else if (stored === 'string') {
      // each value is its length in 4 bytes, then so many bytes
      for (let i = 0; i < values; i++) {
        const cut = described + 4 > bytes.length;
        described += 4 + (cut ? 0 : bytes.readUInt32LE(described));
      }
    } else {
      refuse(FN, `weight ${name} has a dtype that TensorFlow.js does not know, ${stored}`);
    }
  }
  if (described !== bytes.length) {
    const rule = `its weight specs describe ${described}: it is damaged or of another model`;
    refuse(FN, `${where} holds ${bytes.length} bytes, but ${rule}`);
  }
}
