import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import {fileSystem} from 'tfjs-local-attention/node';

let directory: string;

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'file-system-'));
});

afterEach(() => fs.rmSync(directory, {recursive: true}));

const write = (name: string, content: string | Uint8Array) =>
  fs.writeFileSync(path.join(directory, name), content);

const A_WEIGHT: tf.io.WeightsManifestEntry = {name: 'a', shape: [2], dtype: 'float32'};

const artifacts = (): tf.io.ModelArtifacts => ({
  modelTopology: {},
  weightSpecs: [A_WEIGHT],
  weightData: Float32Array.of(1, 2).buffer,
});

test.each<[string, unknown, string]>([
  ['a number', 5, 'directory must be a non-empty string, got 5.'],
  ['an empty string', '', "directory must be a non-empty string, got ''."],
  ['a URL', 'file://models/a', "directory must be a path, not a URL, got 'file://models/a'."],
])('%s for a directory is refused at once', (_what, given, message) => {
  expect(() => fileSystem(given as string)).toThrow(`[fileSystem] ${message}`);
});

test.each<[string, Partial<tf.io.ModelArtifacts>, string]>([
  [
    'more weights than specs',
    {weightSpecs: []},
    'weightData holds 8 bytes, but its weight specs describe 0: it is damaged or of another model.',
  ],
  [
    'a binary topology',
    {modelTopology: new ArrayBuffer(4)},
    'modelTopology must be a JSON object, got an instance of ArrayBuffer.',
  ],
])('saving %s is refused before anything is written', async (_what, wrong, message) => {
  const saving = fileSystem(path.join(directory, 'a')).save!({...artifacts(), ...wrong});
  await expect(saving).rejects.toThrow(`[fileSystem] ${message}`);
  expect(fs.readdirSync(directory)).toEqual([]);
});

test.each(['model.json', 'notes'])('saving to the file %s is refused', async (name) => {
  write('notes', 'mine');
  const saving = fileSystem(path.join(directory, name)).save!(artifacts());
  await expect(saving).rejects.toThrow(
    '[fileSystem] to save, name the directory, not a file in it',
  );
  expect(fs.readdirSync(directory)).toEqual(['notes']);
});

test('a directory inside a file is refused with the reason', async () => {
  write('notes', 'mine');
  const {save, load} = fileSystem(path.join(directory, 'notes', 'a'));
  await expect(save!(artifacts())).rejects.toThrow(/could not save to .*ENOTDIR.*; nothing there/);
  await expect(load!()).rejects.toThrow('[fileSystem] there is no model.json in');
});

describe('a load says what is wrong', () => {
  const manifest = (paths: string[]) =>
    JSON.stringify({modelTopology: {}, weightsManifest: [{paths, weights: [A_WEIGHT]}]});

  test.each<[string, () => void, RegExp]>([
    ['with no model there', () => {}, /there is no model\.json in .*: give the directory a model/],
    ['with no JSON', () => write('model.json', '{"a'), /model\.json is not JSON \(.+\)\.$/],
    ['with null', () => write('model.json', 'null'), /is not a TensorFlow\.js model/],
    [
      'without a weightsManifest',
      () => write('model.json', '{"modelTopology": {}}'),
      /model\.json is not a TensorFlow\.js model: it needs a modelTopology, and a weightsManifest/,
    ],
    [
      'with a manifest without paths',
      () => write('model.json', '{"modelTopology": {}, "weightsManifest": [{"weights": []}]}'),
      /is not a TensorFlow\.js model/,
    ],
    [
      'with the weights absent',
      () => write('model.json', manifest(['weights.bin'])),
      /model\.json names weights\.bin, which is not in .*: copy it there\.$/,
    ],
    [
      'with weights outside of the directory',
      () => write('model.json', manifest(['a/../../weights.bin'])),
      /must name weight files inside its directory, got 'a\/\.\.\/\.\.\/weights\.bin'\.$/,
    ],
    [
      'with an unknown dtype',
      () => {
        write('model.json', manifest(['weights.bin']).replace('float32', 'float64'));
        write('weights.bin', new Uint8Array(16));
      },
      /weight a has a dtype that TensorFlow\.js does not know, float64\.$/,
    ],
    ...[4, 12].map<[string, () => void, RegExp]>((length) => [
      `with ${length} bytes of 8`,
      () => {
        write('model.json', manifest(['weights.bin']));
        write('weights.bin', new Uint8Array(length));
      },
      new RegExp(`/weights\\.bin holds ${length} bytes, but its weight specs describe 8: `),
    ]),
  ])('%s', async (_what, prepare, message) => {
    prepare();
    const loading = fileSystem(directory).load!();
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toThrow(/^\[fileSystem\] .*\.$/);
  });
});
