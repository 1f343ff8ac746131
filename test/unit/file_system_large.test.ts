/** Weights of more than 2 GiB, of which nothing is read, written or even touched here. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {fileSystem} from 'tfjs-local-attention/node';

const LARGEST_CALL = 2 ** 31 - 1; // bytes that Node moves at a time
const VALUES = 2 ** 29 + 2;
const BYTES = 4 * VALUES;

let directory: string;

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'file-system-'));
});

afterEach(() => {
  jest.restoreAllMocks();
  fs.rmSync(directory, {recursive: true});
});

const weightSpecs = [{name: 'a', shape: [VALUES], dtype: 'float32' as const}];

/** Stands for readSync or writeSync: says that it has moved all, or three bytes of all. */
function pretend(name: 'readSync' | 'writeSync') {
  const begins: number[] = [];
  let next = 0;
  const real = fs[name] as (...args: unknown[]) => number;
  jest.spyOn(fs, name).mockImplementation(((
    file: number,
    bytes: Uint8Array,
    ...rest: unknown[]
  ) => {
    if (rest.length > 0) return real(file, bytes, ...rest); // model.json
    if (bytes.length > LARGEST_CALL) throw new RangeError('Node cannot');
    begins.push(bytes.byteOffset);
    expect(bytes.byteOffset).toBe(next);
    const moved = begins.length === 2 ? 3 : bytes.length;
    next += moved;
    return moved;
  }) as never);
  return () => next;
}

test('more than 2 GiB are written piece by piece, and each piece goes on where the last ended', async () => {
  const written = pretend('writeSync');
  const weightData = new ArrayBuffer(BYTES);
  await fileSystem(directory).save!({modelTopology: {}, weightSpecs, weightData});
  expect(written()).toBe(BYTES);
});

test('more than 2 GiB are read piece by piece into one buffer', async () => {
  const weightsManifest = [{paths: ['weights.bin'], weights: weightSpecs}];
  const json = JSON.stringify({modelTopology: {}, weightsManifest});
  fs.writeFileSync(path.join(directory, 'model.json'), json);
  fs.writeFileSync(path.join(directory, 'weights.bin'), '');
  fs.truncateSync(path.join(directory, 'weights.bin'), BYTES); // a hole, which takes no room
  const read = pretend('readSync');
  const {weightData} = await fileSystem(directory).load!();
  expect(read()).toBe(BYTES);
  expect((weightData as ArrayBuffer).byteLength).toBe(BYTES);
});

test('a file that ends before its size is refused', async () => {
  await fileSystem(directory).save!({
    modelTopology: {},
    weightSpecs: [{name: 'a', shape: [1], dtype: 'float32'}],
    weightData: new ArrayBuffer(4),
  });
  jest.spyOn(fs, 'readSync').mockReturnValue(0);
  await expect(fileSystem(directory).load!()).rejects.toThrow(
    /^\[fileSystem\] could not load .* \(the file ended 4 bytes too early\)\.$/,
  );
});
