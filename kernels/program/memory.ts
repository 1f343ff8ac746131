/**
 * A memory of our own, for backends whose tensors are not in one: inputs are copied in and results
 * out, about a twelfth of the time of the computation at a window of 256.
 */
import type {TensorInfo} from '@tensorflow/tfjs';

import {refuse} from '../../src/check/errors';
import {isShared} from './module';
import type {End, Place} from './run';
import {end, forget, threads, workers} from './threads/workers';

/** How a backend reads a tensor and makes one. */
export interface Store {
  read(tensor: TensorInfo): Float32Array | Uint8Array;
  /** Writes over so many bytes of a float32 tensor's own values; where a kernel revises one. */
  write?(tensor: TensorInfo, offset: number, bytes: Uint8Array): void;
  /** A tensor that holds a copy of the values. */
  make(shape: number[], values: Float32Array): TensorInfo;
  drop(tensor: TensorInfo): void;
}

const PAGE = 65536;
const FIRST = 1024; // address 0 stands for what is not there
/** Pages that a memory may grow to; fewer where an engine does not reserve so many. */
const MAXIMA = [65536, 16384, 4096];
/**
 * A larger memory is given back after the call. Not so one that threads share: the others have
 * little garbage of their own and collect it late, so that 20 calls of 0.4 GiB took 7 GiB.
 */
const MOST_KEPT = 2 ** 28;
const NONE = 'the engine reserves no memory for WebAssembly';

let memory: WebAssembly.Memory | null = null;
/** Not asked for again before the next ready(), since V8 collects all garbage several times first. */
let denied = false;
/** The tables of angles that lie at its beginning, since many calls have the same. */
let tables: Float32Array[] = [];

/** Why there is no memory of our own, or null. */
export function unsupportedMemory(): string | null {
  return reserve() ? null : NONE;
}

/** Whether threads can share a memory: an empty one, if it can be had. */
export function reserveShared(): WebAssembly.Memory | null {
  if (memory && !isShared(memory)) release();
  const fresh = newMemory(true);
  if (!fresh) return memory; // other threads let go of one late, so that two may be too many
  release();
  return (memory = fresh);
}

/** Lets go of the memory; the next call makes another. */
export function release(): void {
  if (memory) forget(memory);
  memory = null;
  tables = [];
  denied = false;
}

/** The memory of the call before, if it is of the right kind. */
function reserve(): WebAssembly.Memory | null {
  const shared = threads() > 1;
  if (memory && isShared(memory) !== shared) release();
  if (memory || denied) return memory;
  memory = newMemory(shared);
  if (memory === null && shared) {
    workers().forEach(end);
    memory = newMemory(false);
  }
  denied = memory === null;
  return memory;
}

function newMemory(shared: boolean): WebAssembly.Memory | null {
  for (const maximum of MAXIMA) {
    try {
      return new WebAssembly.Memory({initial: 16, maximum, shared});
    } catch {
      // V8 reserves 10 GiB of addresses for each, whatever its maximum; others reserve less
    }
  }
  return null;
}

/** A call in our own memory. */
export class PrivatePlace implements Place {
  readonly memory = reserve() ?? refuse('localAttention', NONE);
  private readonly outputs: {at: number; shape: number[]}[] = [];
  private readonly made: TensorInfo[] = [];
  private top = FIRST;
  /** Tables of this call. */
  private kept = 0;

  constructor(private readonly store: Store) {}

  angles(table: Float32Array): number {
    const at = this.scratch(table.byteLength);
    if (tables[this.kept] !== table) {
      new Float32Array(this.memory.buffer, at, table.length).set(table);
      tables.splice(this.kept, Infinity, table);
    }
    this.kept++;
    return at;
  }

  address(tensor: TensorInfo): number {
    tables.length = this.kept; // others are written over
    const values = this.store.read(tensor);
    const at = this.scratch(values.byteLength);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(this.memory.buffer).set(bytes, at);
    return at;
  }

  output(shape: number[]): number {
    const at = this.scratch(4 * sizeOf(shape));
    this.outputs.push({at, shape});
    return at;
  }

  scratch(bytes: number): number {
    const at = this.top;
    this.top += Math.ceil(bytes / 16) * 16;
    if (this.top > this.memory.buffer.byteLength) grow(this.memory, this.top);
    return at;
  }

  revise(tensor: TensorInfo, at: number, offset: number, bytes: number): void {
    this.store.write!(tensor, offset, new Uint8Array(this.memory.buffer, at + offset, bytes));
  }

  results(): TensorInfo[] {
    const {buffer} = this.memory;
    for (const {at, shape} of this.outputs) {
      this.made.push(this.store.make(shape, new Float32Array(buffer, at, sizeOf(shape))));
    }
    return this.made;
  }

  leave(end: End): void {
    if (end === 'failed') this.made.forEach((tensor) => this.store.drop(tensor));
    const tooLarge = this.memory.buffer.byteLength > MOST_KEPT && !isShared(this.memory);
    if (end === 'abandoned' || tooLarge) release();
  }
}

function grow(ours: WebAssembly.Memory, bytes: number): void {
  try {
    ours.grow(Math.ceil((bytes - ours.buffer.byteLength) / PAGE));
  } catch {
    refuse('localAttention', `WebAssembly has no ${bytes} bytes for this call`);
  }
}

export function sizeOf(shape: number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
