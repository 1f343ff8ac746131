import fs from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {fail, failType, refuse} from '../check/errors';
import {MODEL, places} from './model_files';
import {OpenFile, OpenFiles} from './open_files';
import {readPieces} from './pieces';
import {checkSize, checkSpecs} from './weight_specs';

const FN = 'fileSystem';

/** How often a load begins again where saves move its files away; more than once is rare. */
const ATTEMPTS = 100;

/** Loads the model that `file` describes, a model.json under whatever name. */
export function load(file: string): tf.io.ModelArtifacts {
  const {dir: directory, base: name} = path.parse(file);
  for (let attempt = 1; ; attempt++) {
    const files = new OpenFiles();
    try {
      return read(directory, name, files);
    } catch (cause) {
      if (attempt < ATTEMPTS && !files.settled()) continue;
      const why = (cause as Error).message;
      if (why.startsWith(`[${FN}]`)) throw cause;
      throw new Error(`[${FN}] could not load ${file} (${why}).`, {cause});
    } finally {
      files.close();
    }
  }
}

function read(directory: string, name: string, files: OpenFiles): tf.io.ModelArtifacts {
  const file = files.open(places(directory, name));
  if (file === undefined) {
    const remedy = `give the directory a model was saved to, or the path of its ${MODEL}`;
    return refuse(FN, `there is no ${name} in ${directory}: ${remedy}`);
  }
  const model = parse(file);
  const groups = model.weightsManifest.map(({paths}) =>
    paths.map((weights) => openWeights(weights, file.path, directory, files)),
  );
  if (!files.settled()) {
    refuse(FN, `saves to ${directory} come too fast to load from it: load again later`);
  }

  const specs = tf.io.getWeightSpecs(model.weightsManifest);
  return tf.io.getModelArtifactsForJSONSync(model, specs, readGroups(groups, model));
}

function parse({path: file, descriptor}: OpenFile): tf.io.ModelJSON {
  const text = fs.readFileSync(descriptor, 'utf8');
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
  if (!complete) {
    const rule = 'needs a modelTopology, and a weightsManifest whose groups list paths and weights';
    refuse(FN, `${file} is not a TensorFlow.js model: it ${rule}`);
  }
  weightsManifest!.forEach(({weights}) => checkSpecs(weights));
  return model as tf.io.ModelJSON;
}

function openWeights(name: unknown, file: string, directory: string, files: OpenFiles): OpenFile {
  const rule = `${file} must name weight files inside its directory`;
  if (typeof name !== 'string') return failType(FN, rule, name);
  const inside = path.relative(directory, path.resolve(directory, name));
  if (inside === '' || inside.split(path.sep)[0] === '..' || path.isAbsolute(inside)) {
    fail(FN, rule, name);
  }
  // amid a save or after a crash, weights.bin may or may not be beside the model.json to read
  const found = files.open([path.dirname(file), directory].map((place) => path.join(place, name)));
  return found ?? refuse(FN, `${file} names ${name}, which is not in ${directory}: copy it there`);
}

/** All weights in one buffer, which may be larger than any of Node's own. */
function readGroups(groups: OpenFile[][], {weightsManifest}: tf.io.ModelJSON): ArrayBuffer {
  const buffer = new ArrayBuffer(groups.flat().reduce((sum, {size}) => sum + size, 0));
  let end = 0;
  groups.forEach((files, i) => {
    const begin = end;
    // a weight may begin in one file and end in the next
    for (const {descriptor, size} of files) {
      readPieces(descriptor, buffer, end, (end += size));
    }
    const where = files.map((file) => file.path).join(' + ');
    checkSize(where, new DataView(buffer, begin, end - begin), weightsManifest[i].weights);
  });
  return buffer;
}
