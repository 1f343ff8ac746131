/**
 * Local attention on TF.js's wasm backend, in the backend's own memory: tensors are copied neither
 * in nor out. That memory is not documented, so it is looked for at the first call; where it is not
 * found, the module gets a memory of its own and copies. So it does for a call that threads share,
 * unless TF.js runs its own threaded build, whose memory they share too.
 */
import type {TensorInfo} from '@tensorflow/tfjs';

import {refuse} from '../../src/check/errors';
import type {FusedBackend} from '../../src/attention/fused';
import {KeptTables} from '../../src/attention/kept_tables';
import type {Problem} from '../../src/attention/problem';
import {queriesTogether, unsupportedSize} from '../program/call';
import {decodeKernel} from '../program/decode';
import {PrivatePlace, Store, sizeOf} from '../program/memory';
import {isShared, unsupportedEngine} from '../program/module';
import {End, Place, backwardKernel, forwardKernel} from '../program/run';

/** What we use of BackendWasm; its own type would need the package. */
interface WasmBackend {
  wasm: {
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    HEAPU8: Uint8Array;
    asm?: {memory?: WebAssembly.Memory};
    /** In the threaded build. */
    wasmMemory?: WebAssembly.Memory;
  };
  dataIdMap: {get(id: object): {memoryOffset: number}};
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo;
  disposeData(id: object): boolean;
  typedArrayFromHeap(info: TensorInfo): Float32Array;
}

/** The memory of a backend, or null where it is out of reach, and the tables of angles in it. */
interface Reach {
  memory: WebAssembly.Memory | null;
  tables: KeptTables<number>;
}
const reaches = new WeakMap<WasmBackend, Reach>();

function reachOf(backend: WasmBackend): Reach {
  const known = reaches.get(backend);
  if (known) return known;
  const {wasm} = backend;
  const found = [wasm.asm?.memory, wasm.wasmMemory];
  const memory = found.find((one) => one?.buffer === wasm.HEAPU8.buffer) ?? null;
  const reach: Reach = {memory, tables: new KeptTables((at) => wasm._free(at))};
  reaches.set(backend, reach);
  return reach;
}

/** The place of a call on this backend. */
export function enter(backend: unknown, shared: boolean): Place {
  const wasm = backend as WasmBackend;
  const {memory, tables} = reachOf(wasm);
  if (!memory || (shared && !isShared(memory))) return new PrivatePlace(storeOf(wasm));
  return new OwnPlace(wasm, memory, tables);
}

/** A call in the backend's own memory. */
class OwnPlace implements Place {
  private readonly outputs: TensorInfo[] = [];
  private readonly borrowed: number[] = [];

  constructor(
    private readonly backend: WasmBackend,
    readonly memory: WebAssembly.Memory,
    private readonly tables: KeptTables<number>,
  ) {}

  angles(table: Float32Array): number {
    const at = this.tables.of(table) ?? copyInto(this.backend.wasm, table);
    this.tables.keep(table, at);
    return at;
  }

  address(tensor: TensorInfo): number {
    return addressIn(this.backend, tensor);
  }

  output(shape: number[]): number {
    const info = this.backend.makeOutput(shape, 'float32');
    this.outputs.push(info);
    return given(addressIn(this.backend, info), 4 * sizeOf(shape));
  }

  scratch(bytes: number): number {
    const at = this.backend.wasm._malloc(bytes) >>> 0;
    if (at !== 0) this.borrowed.push(at);
    return given(at, bytes);
  }

  revise(): void {} // what is written at a tensor's address is in the tensor

  results(): TensorInfo[] {
    return this.outputs;
  }

  leave(end: End): void {
    if (end === 'abandoned') return;
    for (const at of this.borrowed) this.backend.wasm._free(at);
    if (end === 'failed') for (const {dataId} of this.outputs) this.backend.disposeData(dataId);
  }
}

function copyInto(heap: WasmBackend['wasm'], table: Float32Array): number {
  const at = given(heap._malloc(table.byteLength) >>> 0, table.byteLength);
  new Float32Array(heap.HEAPU8.buffer, at, table.length).set(table);
  return at;
}

function addressIn(backend: WasmBackend, {dataId}: TensorInfo): number {
  return backend.dataIdMap.get(dataId).memoryOffset;
}

// TF.js takes what its allocator answers, also 0, which is where its own data begins
function given(pointer: number, bytes: number): number {
  if (pointer === 0) refuse('localAttention', `wasm has no ${bytes} bytes left`);
  return pointer;
}

function storeOf(backend: WasmBackend): Store {
  const drop = ({dataId}: TensorInfo) => void backend.disposeData(dataId);
  return {
    read: (tensor) => backend.typedArrayFromHeap(tensor),
    write(tensor, offset, bytes) {
      const {buffer, byteOffset} = backend.typedArrayFromHeap(tensor);
      new Uint8Array(buffer).set(bytes, byteOffset + offset);
    },
    make(shape, values) {
      const info = backend.makeOutput(shape, 'float32');
      const pointer = addressIn(backend, info);
      if (pointer === 0) drop(info);
      given(pointer, values.byteLength);
      backend.typedArrayFromHeap(info).set(values);
      return info;
    },
    drop,
  };
}

function unsupported(p: Problem): string | null {
  return unsupportedEngine() ?? unsupportedSize(p);
}

export const wasm: FusedBackend = {
  backendName: 'wasm',
  forward: {unsupported, run: forwardKernel(enter)},
  backward: {unsupported, run: backwardKernel(enter)},
  decode: {unsupported, run: decodeKernel(enter)},
  queriesTogether,
};
