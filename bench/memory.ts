/**
 * How much memory a call takes above what it was given and what it returns: what is allocated in
 * the wasm backend's heap, what cpu and tensorflow store, and WebAssembly memories besides. TF.js's
 * own count, which takes every view of a tensor for a copy, serves only where none is to be seen.
 */
import * as tf from '@tensorflow/tfjs';

const MIB = 2 ** 20;

let separate = 0;

/** Counts, from now on, the bytes of WebAssembly memories that JavaScript makes and grows. */
export function countMemories(): void {
  const Memory = WebAssembly.Memory;
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      separate += this.buffer.byteLength;
    }
    override grow(pages: number): number {
      separate += pages * 65536;
      return super.grow(pages);
    }
  };
}

/**
 * Runs `compute`, which must leave its results undisposed, and nothing else.
 *
 * @param first runs before and does not count: where `compute` frees what there was, as a step of an
 *     optimizer frees the weights that it replaces, that is known only if it was allocated in here
 */
export async function peakOf(
  compute: () => tf.Tensor[],
  first: () => void = () => {},
): Promise<{results: tf.Tensor[]; peakMiB: number}> {
  const separateBefore = separate;
  const {results, peakBytes} = await watched(compute, first);
  const resultBytes = results.reduce((sum, {size}) => sum + 4 * size, 0);
  return {results, peakMiB: (peakBytes - resultBytes + separate - separateBefore) / MIB};
}

type Watched = Promise<{results: tf.Tensor[]; peakBytes: number}>;

async function watched(compute: () => tf.Tensor[], first: () => void): Watched {
  const {wasm, data, tensorMap} = tf.backend() as unknown as Insides;
  if (wasm?._malloc) return inHeap(wasm, compute, first);
  first();
  if (data && tf.getBackend() === 'cpu') return inStorage(data, compute);
  if (tensorMap) return inStorage(tensorMap, compute);
  const before = tf.memory().numBytes;
  let results: tf.Tensor[] = [];
  // reading every result back to look for NaN would be part of it
  tf.env().set('CHECK_COMPUTATION_FOR_ERRORS', false);
  const {peakBytes} = await tf.profile(() => (results = compute()));
  return {results, peakBytes: peakBytes - before};
}

/** What is used of the backends: wasm, cpu, tensorflow. */
interface Insides {
  wasm?: Heap;
  data?: Storage;
  tensorMap?: Storage;
}

/** What is used of the wasm backend. */
interface Heap {
  _malloc(bytes: number): number;
  _free(pointer: number): void;
}

async function inHeap(heap: Heap, compute: () => tf.Tensor[], first: () => void): Watched {
  const {_malloc, _free} = heap;
  const live = liveBytes<number>();
  heap._malloc = (bytes) => {
    const pointer = _malloc(bytes);
    live.add(pointer, bytes);
    return pointer;
  };
  heap._free = (pointer) => {
    live.remove(pointer);
    _free(pointer);
  };
  first();
  live.begin();
  const results = compute();
  Object.assign(heap, {_malloc, _free});
  return {results, peakBytes: live.peak()};
}

/** What is used of the cpu backend, and of tensorflow, whose values are in JavaScript or not. */
interface Storage {
  set(id: object, entry: {values?: {byteLength?: number} | null; shape?: number[]}): void;
  delete(id: object): boolean;
}

async function inStorage(storage: Storage, compute: () => tf.Tensor[]): Watched {
  const live = liveBytes<object>();
  const {set, delete: remove} = Object.getPrototypeOf(storage) as Storage;
  storage.set = (id, entry) => {
    const natively = entry.shape ? 4 * tf.util.sizeFromShape(entry.shape) : 0;
    live.add(id, entry.values?.byteLength ?? natively);
    set.call(storage, id, entry);
  };
  storage.delete = (id) => {
    live.remove(id);
    return remove.call(storage, id);
  };
  const results = compute();
  Object.assign(storage, {set, delete: remove});
  return {results, peakBytes: live.peak()};
}

function liveBytes<Key>() {
  const sizes = new Map<Key, number>();
  let live = 0;
  let most = 0;
  let before = 0;
  return {
    /** Counts from what is live now. */
    begin() {
      before = most = live;
    },
    add(key: Key, bytes: number) {
      live += bytes - (sizes.get(key) ?? 0);
      sizes.set(key, bytes);
      most = Math.max(most, live);
    },
    remove(key: Key) {
      live -= sizes.get(key) ?? 0;
      sizes.delete(key);
    },
    peak: () => most - before,
  };
}
