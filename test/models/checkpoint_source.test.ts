import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';

import {readCheckpoint} from '../../models/checkpoint_source';
import {writeSafetensors} from '../../models/safetensors';

const names = async (source: unknown) => [...(await readCheckpoint('fn', source)).keys()];
const error = (source: unknown) => names(source).then(String, (reason: Error) => reason);

const holding = (...tensors: string[]) =>
  writeSafetensors(tensors.map((name) => ({name, shape: [1], values: Float32Array.of(1)})));

const weight_map = {a: 'one', b: 'two', c: 'one'};
const shards: Record<string, Uint8Array<ArrayBuffer>> = {one: holding('a', 'c'), two: holding('b')};
const open = (name: string) => shards[name];

test('bytes of every kind are read', async () => {
  const file = holding('a', 'b');
  const {buffer, byteOffset, byteLength} = file;
  const within = Buffer.concat([Buffer.from('123'), file]).subarray(3);
  const sources = [file, buffer.slice(byteOffset, byteOffset + byteLength), within];
  for (const source of [...sources, new Blob([file]), new File([file], 'a.safetensors')]) {
    expect(await names(source)).toEqual(['a', 'b']);
  }
});

describe('by URL', () => {
  const server = createServer(({url}, response) => {
    if (url === '/model.safetensors') response.end(holding('a', 'b'));
    else response.writeHead(404).end('<html>');
  });
  let root: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  test('a string and a URL are fetched', async () => {
    expect(await names(`${root}/model.safetensors`)).toEqual(['a', 'b']);
    expect(await names(new URL(`${root}/model.safetensors`))).toEqual(['a', 'b']);
  });

  const remedy = 'a file that fetch does not reach can be given by its bytes';

  test('what cannot be fetched is an error that says why', async () => {
    expect(await error(`${root}/x`)).toEqual(
      new Error(`[fn] could not fetch '${root}/x' (status 404); ${remedy}.`),
    );
    const path = await error('weights/model.safetensors');
    expect(String(path)).toContain("[fn] could not fetch 'weights/model.safetensors' (");
    expect(String(path)).toContain(`); ${remedy}.`);
    expect((path as Error).cause).toHaveProperty('message');
  });
});

test('shards are opened once each, by an index that is an object or text', async () => {
  const opened: string[] = [];
  const noting = async (name: string) => {
    opened.push(name);
    return new Blob([open(name)]);
  };
  const index = {metadata: {total_size: 12}, weight_map};
  expect(await names({index, open: noting})).toEqual(['a', 'c', 'b']);
  expect(opened).toEqual(['one', 'two']);
  expect(await names({index: JSON.stringify(index), open})).toEqual(['a', 'c', 'b']);
});

test('index and shards that disagree are refused, with all that is wrong', async () => {
  const index = {weight_map: {a: 'one', b: 'one', d: 'two'}};
  expect(await error({index, open})).toEqual(
    new RangeError(
      "[fn] index and shards must agree: the index does not say that 'c' is in shard 'one'; " +
        "'b' is not in shard 'one'; the index does not say that 'b' is in shard 'two'; " +
        "'d' is not in shard 'two'.",
    ),
  );
});

test('a tensor in two shards is refused', async () => {
  const twice = (name: string) => (name === 'two' ? holding('a', 'b') : open(name));
  expect(await error({index: {weight_map}, open: twice})).toEqual(
    new RangeError("[fn] index and shards must agree: the index does not say that 'a' is in shard 'two'."), // prettier-ignore
  );
});

test('a name that is a word of JavaScript is a name in an index too', async () => {
  const index = '{"weight_map":{"__proto__":"one"}}';
  expect(await names({index, open: () => holding('__proto__')})).toEqual(['__proto__']);
});

const usage =
  'source must be the bytes of a safetensors file (a Uint8Array or an ArrayBuffer), a Blob, a URL, ' +
  'or {index, open} of a checkpoint in shards';
const index = 'index must be model.safetensors.index.json, with a weight_map of names to files';

test.each<[string, unknown, Error]>([
  ['nothing', undefined, new TypeError(`[fn] ${usage}, got undefined.`)],
  ['null', null, new TypeError(`[fn] ${usage}, got null.`)],
  ['a number', 7, new TypeError(`[fn] ${usage}, got 7.`)],
  ['numbers', [1, 2], new TypeError(`[fn] ${usage}, got [1, 2].`)],
  ['floats', new Float32Array(3), new TypeError(`[fn] ${usage}, got [0, 0, 0].`)],
  ['an index alone', {index: {}}, new TypeError(`[fn] ${usage}, got {index: {}}.`)],
  ['an index that is no JSON', {index: '{', open}, new TypeError(`[fn] ${index}, got '{'.`)],
  ['an index that is null', {index: 'null', open}, new TypeError(`[fn] ${index}, got null.`)],
  ['an index without weight_map', {index: {}, open}, new TypeError(`[fn] ${index}, got {}.`)],
  ['a weight_map that is a list', {index: {weight_map: ['one']}, open}, new TypeError(`[fn] ${index}, got {weight_map: ['one']}.`)], // prettier-ignore
  ['a file that is a number', {index: {weight_map: {a: 1}}, open}, new TypeError("[fn] index must say the file of 'a', a name without folders, got 1.")], // prettier-ignore
  ['a file elsewhere', {index: {weight_map: {a: '../one'}}, open}, new RangeError("[fn] index must say the file of 'a', a name without folders, got '../one'.")], // prettier-ignore
  ['an open that is no function', {index: {weight_map}, open: 'one'}, new TypeError("[fn] open must be a function (name) => bytes, got 'one'.")], // prettier-ignore
  ['an open that gives nothing', {index: {weight_map}, open: () => undefined}, new TypeError("[fn] open must give the bytes of shard 'one', or a Blob, got undefined.")], // prettier-ignore
  ['an open that gives a file that is none', {index: {weight_map}, open: () => new Uint8Array(3)}, new RangeError("[fn] shard 'one' must be a safetensors file, which begins with the length of its header in 8 bytes, got 3 bytes.")], // prettier-ignore
])('%s is refused in words', async (_, source, wanted) => {
  const thrown = await error(source);
  expect(thrown).toEqual(wanted);
  expect(thrown).toBeInstanceOf(wanted.constructor);
});

test('an error of open is the error of the call', async () => {
  const gone = new Error('gone');
  const failing = async () => {
    throw gone;
  };
  expect(await error({index: {weight_map}, open: failing})).toBe(gone);
});
