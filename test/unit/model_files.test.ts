import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import {fileSystem} from 'tfjs-local-attention/node';

let parent: string;
let directory: string;

beforeEach(() => {
  parent = fs.mkdtempSync(path.join(os.tmpdir(), 'model-files-'));
  directory = path.join(parent, 'models', 'a');
});

afterEach(() => {
  jest.restoreAllMocks();
  fs.rmSync(parent, {recursive: true});
});

/** Both files say the version, so that a mixture shows; and versions do not differ in size. */
const version = (n: number): tf.io.ModelArtifacts => ({
  modelTopology: {version: n},
  weightSpecs: [{name: 'a', shape: [2], dtype: 'float32'}],
  weightData: Float32Array.of(n, n).buffer,
});

const save = (n: number) => fileSystem(directory).save!(version(n));

/** The version that load gives; throws if it is a mixture of two. */
async function loadedVersion() {
  const {modelTopology, weightData} = await fileSystem(directory).load!();
  return wholeVersion(modelTopology, new Float32Array(weightData as ArrayBuffer));
}

/** The version that any other loader gets, or null where there is no model.json. */
function plainVersion() {
  if (!fs.existsSync(path.join(directory, 'model.json'))) return null;
  const {modelTopology} = JSON.parse(fs.readFileSync(path.join(directory, 'model.json'), 'utf8'));
  const bytes = new Uint8Array(fs.readFileSync(path.join(directory, 'weights.bin')));
  return wholeVersion(modelTopology, new Float32Array(bytes.buffer));
}

function wholeVersion(topology: unknown, weights: Float32Array) {
  const {version: n} = topology as {version: number};
  expect([...weights]).toEqual([n, n]);
  return n;
}

/** Every file below the parent, with its content. */
const contents = () =>
  fs
    .readdirSync(parent, {recursive: true, withFileTypes: true})
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => [file, fs.statSync(file).isFile() && fs.readFileSync(file, 'utf8')])
    .sort();

const STEPS = /^(open|close|write|writev|append|copy|truncate|fsync|rename|rm|unlink|mk|link|sym)/;

/**
 * Makes the `n`th change to the disk fail (a write is first half done); with `crash` also every
 * later one, as none comes from a process that died. Returns how many were tried.
 */
function breakAt(n: number, {crash}: {crash: boolean}) {
  let tried = 0;
  const real = {...fs} as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of Object.keys(real)) {
    if (!STEPS.test(name) || !name.endsWith('Sync')) continue;
    jest.spyOn(fs, name as 'fsyncSync').mockImplementation((...args: unknown[]) => {
      tried++;
      if (tried < n || (tried > n && !crash)) return real[name](...args) as void;
      if (tried === n && name.startsWith('write')) {
        real[name](args[0], (args[1] as string | Uint8Array).slice(0, 5));
      }
      throw Object.assign(new Error(`EIO, ${name}`), {code: 'EIO'});
    });
  }
  return () => tried;
}

/** Runs `check` after a save broken at its first step, at its second, and so on to its last. */
async function atEachStep(
  prepare: () => Promise<unknown>,
  {crash}: {crash: boolean},
  check: (error: Error | null, step: number) => Promise<void>,
) {
  for (let step = 1; ; step++) {
    fs.rmSync(path.join(parent, 'models'), {recursive: true, force: true});
    await prepare();
    const tried = breakAt(step, {crash});
    const error = await save(2).then(
      () => null,
      (reason: Error) => reason,
    );
    jest.restoreAllMocks();
    if (tried() < step) return;
    await check(error, step);
  }
}

async function versionOneAndOtherFiles() {
  await save(1);
  fs.mkdirSync(path.join(directory, 'logs'));
  fs.writeFileSync(path.join(directory, 'logs', 'loss.csv'), '0.5');
  fs.writeFileSync(path.join(directory, 'vocabulary.txt'), 'a b c');
}

const nothing = async () => {};

const FILES = ['logs', 'model.json', 'vocabulary.txt', 'weights.bin'];

test('a save replaces the model and keeps the other files', async () => {
  await versionOneAndOtherFiles();
  await save(2);
  expect(await loadedVersion()).toBe(2);
  expect(fs.readdirSync(directory)).toEqual(FILES);
  expect(fs.readFileSync(path.join(directory, 'logs', 'loss.csv'), 'utf8')).toBe('0.5');
});

test('an error at any step of a save leaves every file as it was', async () => {
  let before: unknown;
  const prepare = async () => {
    await versionOneAndOtherFiles();
    before = contents();
  };
  const broken: string[] = [];
  await atEachStep(prepare, {crash: false}, async (error) => {
    if (error === null) return expect(plainVersion()).toBe(2); // a step it can do without
    const [, step] = /could not save to .* \(EIO, (\w+)Sync\); nothing .* changed\.$/.exec(
      error.message,
    ) as string[];
    broken.push(step);
    expect(contents()).toEqual(before);
  });
  const atLeast = ['mkdir', 'rm', 'open', 'write', 'writeFile', 'fsync', 'close'];
  expect(broken).toEqual(expect.arrayContaining(atLeast));
  expect(broken.filter((step) => step === 'rename')).toHaveLength(5);
});

test('an error at any step of a first save leaves no file and no directory', async () => {
  await atEachStep(nothing, {crash: false}, async (error) => {
    if (error === null) return expect(plainVersion()).toBe(2);
    expect(contents()).toEqual([]);
  });
});

test('a crash at any step leaves a whole model, and the next save leaves no trace of it', async () => {
  const seen = {loaded: new Set(), plain: new Set()};
  await atEachStep(versionOneAndOtherFiles, {crash: true}, async () => {
    seen.loaded.add(await loadedVersion());
    seen.plain.add(plainVersion());
    await save(3);
    expect([await loadedVersion(), plainVersion()]).toEqual([3, 3]);
    expect(fs.readdirSync(directory)).toEqual(FILES);
  });
  // null: between the renames another loader finds no model.json, rather than a mixture
  expect(seen).toEqual({loaded: new Set([1, 2]), plain: new Set([1, null, 2])});
});

test('a crash at any step of a first save leaves a whole model or none', async () => {
  const seen = new Set();
  await atEachStep(nothing, {crash: true}, async () => {
    seen.add(await loadedVersion().catch((error: Error) => error.message.slice(0, 35)));
    await save(3);
    expect(plainVersion()).toBe(3);
    expect(fs.readdirSync(directory)).toEqual(['model.json', 'weights.bin']);
  });
  expect(seen).toEqual(new Set(['[fileSystem] there is no model.json', 2]));
});

let amid = 1; // the first step at which a crash leaves no model.json in the directory

/** Version 1 over version 1, by a process that died at that step. */
async function crashAmidMoves() {
  for (; ; amid++) {
    fs.rmSync(path.join(parent, 'models'), {recursive: true, force: true});
    await versionOneAndOtherFiles();
    breakAt(amid, {crash: true});
    await save(1).catch(() => {});
    jest.restoreAllMocks();
    if (plainVersion() === null) return;
  }
}

test('a crash while a save repairs an earlier crash still leaves a whole model', async () => {
  const seen = new Set();
  await atEachStep(crashAmidMoves, {crash: true}, async () => {
    plainVersion();
    seen.add(await loadedVersion());
  });
  expect(seen).toEqual(new Set([1, 2]));
});

/** Calls `before` before each of its calls that reads the disk, with how many there were. */
function beforeEachRead(before: (read: number) => void) {
  let reads = 0;
  for (const name of ['openSync', 'fstatSync', 'readFileSync', 'readSync', 'statSync'] as const) {
    const real = fs[name] as (...args: unknown[]) => unknown;
    jest.spyOn(fs, name).mockImplementation(((...args: unknown[]) => {
      if (!saving) before(++reads);
      return real(...args);
    }) as never);
  }
  return () => reads;
}

let saving = false;

/** A save that is done before it returns, as one of another process may be. */
function saveMeanwhile(n: number) {
  saving = true;
  void save(n);
  saving = false;
}

test.each([
  ['in its place', async () => save(1)],
  ['half moved in', crashAmidMoves],
])('a save at any step of a load, with the earlier model %s', async (_where, prepare) => {
  const seen = new Set();
  for (let step = 1, reads = () => step; reads() >= step; step++) {
    fs.rmSync(path.join(parent, 'models'), {recursive: true, force: true});
    await prepare();
    reads = beforeEachRead((read) => read === step && saveMeanwhile(2));
    seen.add(await loadedVersion());
    jest.restoreAllMocks();
  }
  expect(seen).toEqual(new Set([1, 2]));
});

test('a model.json that is never where a load looks first is still found', async () => {
  await save(1);
  const places = [directory, path.join(directory, '.tfjs-saved')];
  fs.mkdirSync(places[1]);
  beforeEachRead((read) => {
    if (read === 1 || read > 10) return; // the first asks whether the directory is one
    fs.renameSync(path.join(places[0], 'model.json'), path.join(places[1], 'model.json'));
    places.reverse();
  });
  expect(await loadedVersion()).toBe(1);
});

test('saves at every step of a load end it, in a sentence', async () => {
  await save(1);
  beforeEachRead(saveMeanwhile);
  await expect(loadedVersion()).rejects.toThrow(
    /^\[fileSystem\] saves to .* come too fast to load from it: load again later\.$/,
  );
});

test('of two saves started together the second one stays', async () => {
  await Promise.all([save(1), save(2)]);
  expect(await loadedVersion()).toBe(2);
  expect(fs.readdirSync(directory)).toEqual(['model.json', 'weights.bin']);
});
