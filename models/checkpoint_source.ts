/** Where a checkpoint comes from: bytes, a Blob, a URL, or the shards that an index lists. */
import {fail, failType, refuse, show} from '../src/check/errors';
import {listed} from './listed';
import {StoredTensor, readSafetensors} from './safetensors';

/** The bytes of one file. A File of a browser and a Response of fetch serve as a Blob does. */
export type CheckpointFile = Uint8Array | ArrayBuffer | Blob;

/** What model.safetensors.index.json holds, as far as it is read. */
export interface ShardIndex {
  /** The file of each tensor. */
  weight_map: Record<string, string>;
}

/** A checkpoint in several files, as large ones are published. */
export interface CheckpointShards {
  /** model.safetensors.index.json, its text or what JSON.parse makes of it. */
  index: string | ShardIndex;
  /** The bytes of the file that the index names so. Called once for each, one after the other. */
  open(name: string): CheckpointFile | Promise<CheckpointFile>;
}

/** A safetensors file as bytes, as a Blob or by its URL, or several with their index. */
export type CheckpointSource = CheckpointFile | string | URL | CheckpointShards;

type Tensors = Map<string, StoredTensor>;

const USAGE =
  'source must be the bytes of a safetensors file (a Uint8Array or an ArrayBuffer), a Blob, a URL, ' +
  'or {index, open} of a checkpoint in shards';

/** All tensors of a checkpoint by their names; their numbers have not been looked at. */
export async function readCheckpoint(fn: string, source: unknown): Promise<Tensors> {
  if (typeof source === 'string' || source instanceof URL) {
    return readSafetensors(fn, 'the file', await fetched(fn, String(source)));
  }
  if (isShards(source)) return readShards(fn, source);
  const bytes = await bytesOf(source);
  if (bytes === null) return failType(fn, USAGE, source);
  return readSafetensors(fn, 'the file', bytes);
}

function isShards(source: unknown): source is CheckpointShards {
  return typeof source === 'object' && source !== null && 'index' in source && 'open' in source;
}

/** The bytes themselves, not a copy, or null where there are none. */
async function bytesOf(source: unknown): Promise<Uint8Array | null> {
  const kind = Object.prototype.toString.call(source).slice('[object '.length, -1); // in any realm
  if (kind === 'ArrayBuffer') return new Uint8Array(source as ArrayBuffer);
  if (kind === 'Uint8Array') {
    // not the Buffer that it may be, whose slice is no copy
    const {buffer, byteOffset, byteLength} = source as Uint8Array;
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
  const {arrayBuffer} = (source ?? {}) as {arrayBuffer?: unknown};
  if (typeof arrayBuffer !== 'function') return null;
  return new Uint8Array(await (source as Blob).arrayBuffer());
}

async function fetched(fn: string, url: string): Promise<Uint8Array> {
  const remedy = 'a file that fetch does not reach can be given by its bytes';
  let response: Response;
  try {
    response = await fetch(url);
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    const why = (cause as Error).message;
    throw new Error(`[${fn}] could not fetch ${show(url)} (${why}); ${remedy}.`, {cause});
  }
  throw new Error(`[${fn}] could not fetch ${show(url)} (status ${response.status}); ${remedy}.`);
}

/** Throws unless index and shards say the same of which tensor is where. */
async function readShards(fn: string, {index, open}: CheckpointShards): Promise<Tensors> {
  if (typeof open !== 'function') failType(fn, 'open must be a function (name) => bytes', open);
  const places = placesIn(fn, index);
  const tensors: Tensors = new Map();
  const wrong: string[] = [];
  for (const file of new Set(places.values())) {
    const where = `shard ${show(file)}`;
    const given: unknown = await open(file);
    const bytes = await bytesOf(given);
    if (bytes === null) failType(fn, `open must give the bytes of ${where}, or a Blob`, given);
    const found = readSafetensors(fn, where, bytes);
    for (const [name, tensor] of found) {
      if (places.get(name) === file) tensors.set(name, tensor);
      else wrong.push(`the index does not say that ${show(name)} is in ${where}`);
    }
    for (const [name, place] of places) {
      if (place === file && !found.has(name)) wrong.push(`${show(name)} is not in ${where}`);
    }
  }
  if (wrong.length > 0) refuse(fn, `index and shards must agree: ${listed(wrong)}`);
  return tensors;
}

/** The file of each tensor, as the index says. */
function placesIn(fn: string, index: unknown): Map<string, string> {
  const rule = 'index must be model.safetensors.index.json, with a weight_map of names to files';
  let parsed = index;
  if (typeof index === 'string') {
    try {
      parsed = JSON.parse(index);
    } catch {
      failType(fn, rule, index);
    }
  }
  const places: unknown = (parsed as {weight_map?: unknown} | null)?.weight_map;
  if (typeof places !== 'object' || places === null || Array.isArray(places)) {
    return failType(fn, rule, parsed);
  }
  for (const [name, file] of Object.entries(places)) {
    const rule = `index must say the file of ${show(name)}, a name without folders`;
    if (typeof file !== 'string') failType(fn, rule, file);
    if (/[\\/]/.test(file)) fail(fn, rule, file); // it may be opened as a path
  }
  return new Map(Object.entries(places));
}
