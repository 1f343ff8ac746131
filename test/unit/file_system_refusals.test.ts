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
  [
    'a weight of a wrong shape',
    {weightSpecs: [{...A_WEIGHT, shape: [-2]}]},
    "the shape of weight 'a' must be a list of whole numbers, 0 or more, got [-2].",
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
      /the dtype of weight 'a' must be one of float32, .*, string, got 'float64'\.$/,
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

describe('a hostile model.json', () => {
  const load = (paths: unknown[], weights: unknown[]) => {
    write('model.json', JSON.stringify({modelTopology: {}, weightsManifest: [{paths, weights}]}));
    write('weights.bin', new Uint8Array(8));
    return fileSystem(directory).load!();
  };

  test.each<[unknown, string]>([
    ['', "must name weight files inside its directory, got ''."],
    ['.', "must name weight files inside its directory, got '.'."],
    [5, 'must name weight files inside its directory, got 5.'],
    [null, 'must name weight files inside its directory, got null.'],
    ['/etc/passwd', "must name weight files inside its directory, got '/etc/passwd'."],
    ['a\0b', 'without null bytes'],
    ['logs', 'logs is not a file).'],
  ])('with the path %j', async (name, message) => {
    fs.mkdirSync(path.join(directory, 'logs'));
    const loading = load([name], [A_WEIGHT]);
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toThrow(/^\[fileSystem\] .*\.$/);
  });

  const SHAPE = "the shape of weight 'a' must be a list of whole numbers, 0 or more, got";
  const DTYPE =
    "the dtype of weight 'a' must be one of float32, int32, bool, complex64, string, got";
  const STORED = "the quantization.dtype of weight 'a' must be one of uint8, uint16, float16, got";

  test.each<[unknown, string]>([
    [null, 'a weight must be described by its name, shape and dtype, got null.'],
    ['a', "a weight must be described by its name, shape and dtype, got 'a'."],
    [{...A_WEIGHT, name: 5}, 'the name of a weight must be a string, got 5.'],
    [{...A_WEIGHT, shape: [0.5, 2]}, `${SHAPE} [0.5, 2].`],
    [{...A_WEIGHT, shape: [-1, -1]}, `${SHAPE} [-1, -1].`],
    [{...A_WEIGHT, shape: ['1']}, `${SHAPE} ['1'].`],
    [{...A_WEIGHT, shape: [1e300]}, `${SHAPE} [1e+300].`],
    [{...A_WEIGHT, shape: 2}, `${SHAPE} 2.`],
    [{...A_WEIGHT, dtype: 4}, `${DTYPE} 4.`],
    [{...A_WEIGHT, dtype: 'toString'}, `${DTYPE} 'toString'.`],
    [{...A_WEIGHT, dtype: 'uint8'}, `${DTYPE} 'uint8'.`],
    [{...A_WEIGHT, quantization: null}, `${STORED} undefined.`],
    [{...A_WEIGHT, quantization: {dtype: 'int32'}}, `${STORED} 'int32'.`],
  ])('with the weight %j', async (weight, message) => {
    await expect(load(['weights.bin'], [weight])).rejects.toThrow(`[fileSystem] ${message}`);
  });

  test('with more strings than its file could hold is refused without counting them', async () => {
    const strings = {name: 's', shape: [1e13], dtype: 'string'};
    await expect(load(['weights.bin'], [strings])).rejects.toThrow(
      // two empty ones are there
      'weights.bin holds 8 bytes, but its weight specs describe 40000000000000: ',
    );
  });
});

test('a directory that this process may not read is refused with the reason', async () => {
  write('model.json', '{}');
  fs.chmodSync(directory, 0);
  const root = process.getuid!() === 0;
  if (root) process.seteuid!(65534); // root may read everything
  let loading: Promise<unknown>;
  try {
    loading = fileSystem(directory).load!();
  } finally {
    if (root) process.seteuid!(0);
    fs.chmodSync(directory, 0o700);
  }
  await expect(loading).rejects.toThrow(
    /^\[fileSystem\] could not load .*\/model\.json \(EACCES: permission denied, .*\)\.$/,
  );
});

test.each(['with all its files', 'with one that is absent'])(
  'a load %s closes what it has opened',
  async (which) => {
    await fileSystem(directory).save!(artifacts());
    if (which === 'with one that is absent') fs.rmSync(path.join(directory, 'weights.bin'));
    const opened = jest.spyOn(fs, 'openSync');
    const closed = jest.spyOn(fs, 'closeSync');
    await fileSystem(directory).load!().catch(() => {});
    const descriptors = opened.mock.results.filter(({type}) => type === 'return');
    expect(descriptors.length).toBeGreaterThan(0);
    expect(closed.mock.calls.flat()).toEqual(descriptors.map(({value}) => value));
    jest.restoreAllMocks();
  },
);
