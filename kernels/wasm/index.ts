/**
 * Local attention on TF.js's wasm backend, in the backend's own memory: tensors are copied neither
 * in nor out. That memory is not documented, so it is looked for at the first call; where it is not
 * found, the module gets a memory of its own and copies. So it does for a call that threads share,
 * unless TF.js runs its own threaded build, whose memory they share too.
 */
import type {TensorInfo} from '@tensorflow/tfjs';

import {refuse} from '../../src/check/errors';
import type {Machine} from '../../src/attention/fused';
import {Store, enterArena, sizeOf} from '../program/arena';
import {isShared, refusesEngine, refusesSize} from '../program/module';
import {Place, backwardKernel, forwardKernel} from '../program/run';

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

/** The memory of a backend, or null where it is out of reach. */
const memories = new WeakMap<WasmBackend, WebAssembly.Memory | null>();

function enter(backend: unknown, shared: boolean): Place {
  const wasm = backend as WasmBackend;
  if (!memories.has(wasm)) memories.set(wasm, memoryOf(wasm));
  const memory = memories.get(wasm);
  if (!memory || (shared && !isShared(memory))) return enterArena(storeOf(wasm));
  return within(wasm, memory);
}

function memoryOf({wasm}: WasmBackend): WebAssembly.Memory | null {
  const found = [wasm.asm?.memory, wasm.wasmMemory];
  return found.find((memory) => memory?.buffer === wasm.HEAPU8.buffer) ?? null;
}

function within(backend: WasmBackend, memory: WebAssembly.Memory): Place {
  const outputs: TensorInfo[] = [];
  let borrowed = 0;
  return {
    memory,
    address: (tensor) => addressIn(backend, tensor),
    output(shape) {
      const info = backend.makeOutput(shape, 'float32');
      outputs.push(info);
      return given(addressIn(backend, info), 4 * sizeOf(shape));
    },
    scratch(bytes) {
      borrowed = backend.wasm._malloc(bytes) >>> 0;
      return given(borrowed, bytes);
    },
    results: () => outputs,
    leave(end) {
      if (end === 'abandoned') return;
      if (borrowed) backend.wasm._free(borrowed);
      if (end === 'failed') for (const {dataId} of outputs) backend.disposeData(dataId);
    },
  };
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

export const wasm: Machine = {
  backendName: 'wasm',
  refuses: (p) => refusesEngine() ?? refusesSize(p),
  forward: forwardKernel(enter),
  backward: backwardKernel(enter),
};
