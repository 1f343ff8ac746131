/**
 * A memory of our own, for backends whose tensors are not in one: inputs are copied in and results
 * out, about a twelfth of the time of the computation at a window of 256.
 */
import type {TensorInfo} from '@tensorflow/tfjs';

import {isShared} from './module';
import {forget, threads} from './threads/workers';
import type {Place} from './run';

type Values = Float32Array | Uint8Array;

/** How a backend reads a tensor and makes one. */
export interface Store {
  read(tensor: TensorInfo): Values;
  /** A tensor that holds a copy of the values. */
  make(shape: number[], values: Float32Array): TensorInfo;
  drop(tensor: TensorInfo): void;
}

const PAGE = 65536;
const FIRST = 1024; // address 0 stands for what is not there
/**
 * A larger memory is given back after the call. Not so one that threads share: the others have
 * little garbage of their own and collect it late, so that 20 calls of 0.4 GiB took 7 GiB.
 */
const MOST_KEPT = 2 ** 28;

let memory: WebAssembly.Memory | null = null;

export function enterArena(store: Store): Place {
  const arena = arenaFor(threads() > 1);
  const outputs: {at: number; shape: number[]}[] = [];
  const made: TensorInfo[] = [];
  let top = FIRST;
  const room = (bytes: number) => {
    const at = top;
    top += Math.ceil(bytes / 16) * 16;
    const missing = top - arena.buffer.byteLength;
    if (missing > 0) arena.grow(Math.ceil(missing / PAGE));
    return at;
  };
  return {
    memory: arena,
    address(tensor) {
      const values = store.read(tensor);
      const at = room(values.byteLength);
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      new Uint8Array(arena.buffer).set(bytes, at);
      return at;
    },
    output(shape) {
      const at = room(4 * sizeOf(shape));
      outputs.push({at, shape});
      return at;
    },
    scratch: room,
    results() {
      for (const {at, shape} of outputs) {
        made.push(store.make(shape, new Float32Array(arena.buffer, at, sizeOf(shape))));
      }
      return made;
    },
    leave(end) {
      if (end === 'failed') made.forEach((tensor) => store.drop(tensor));
      const tooLarge = arena.buffer.byteLength > MOST_KEPT && !isShared(arena);
      if (end === 'abandoned' || tooLarge) giveBackArena();
    },
  };
}

/** The memory of the call before, if it is of the right kind. */
function arenaFor(shared: boolean): WebAssembly.Memory {
  if (memory && isShared(memory) !== shared) giveBackArena();
  memory ??= new WebAssembly.Memory({initial: 16, maximum: 65536, shared});
  return memory;
}

/** Lets go of the memory; the next call makes another. */
export function giveBackArena(): void {
  if (memory) forget(memory);
  memory = null;
}

export function sizeOf(shape: number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
