/**
 * Local attention on TF.js's wasm backend, in the backend's own memory: tensors are copied neither
 * in nor out. That memory (`wasm.asm.memory`, or `wasm.wasmMemory` in the threaded build) is not
 * documented, so it is looked for at the first call; where it is not found, the module gets a
 * memory of its own and copies.
 */
import type {TensorInfo} from '@tensorflow/tfjs';

import type {Machine} from '../../src/fused';
import {enterArena} from './arena';
import {Exports, instantiate, refusesEngine} from './module';
import {Place, backwardKernel, forwardKernel} from './run';

/** What we use of BackendWasm; its own type would need the package. */
interface WasmBackend {
  wasm: {
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    HEAPU8: Uint8Array;
    asm?: {memory?: WebAssembly.Memory};
    wasmMemory?: WebAssembly.Memory;
  };
  dataIdMap: {get(id: object): {memoryOffset: number}};
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo;
  typedArrayFromHeap(info: TensorInfo): Float32Array;
}

/** The memory of a backend, or null where it is out of reach. */
const memories = new WeakMap<WasmBackend, WebAssembly.Memory | null>();

function enter(backend: unknown): Place {
  const wasm = backend as WasmBackend;
  if (!memories.has(wasm)) memories.set(wasm, memoryOf(wasm));
  const memory = memories.get(wasm);
  return memory ? within(wasm, instantiate(memory)) : enterArena(storeOf(wasm));
}

function memoryOf({wasm}: WasmBackend): WebAssembly.Memory | null {
  const memory = wasm.asm?.memory; // the threaded build's is shared, which this module cannot import
  return memory?.buffer === wasm.HEAPU8.buffer ? memory : null;
}

function within(backend: WasmBackend, module: Exports): Place {
  const outputs: TensorInfo[] = [];
  let borrowed = 0;
  const address = (tensor: TensorInfo) => backend.dataIdMap.get(tensor.dataId).memoryOffset;
  return {
    module,
    address,
    output(shape) {
      const info = backend.makeOutput(shape, 'float32');
      outputs.push(info);
      return address(info);
    },
    scratch(bytes) {
      borrowed = backend.wasm._malloc(bytes) >>> 0;
      if (!borrowed) throw new RangeError(`[localAttention] wasm has no ${bytes} bytes left.`);
      return borrowed;
    },
    results: () => outputs,
    leave() {
      if (borrowed) backend.wasm._free(borrowed);
    },
  };
}

function storeOf(backend: WasmBackend) {
  return {
    read: (tensor: TensorInfo) => backend.typedArrayFromHeap(tensor),
    make(shape: number[], values: Float32Array) {
      const info = backend.makeOutput(shape, 'float32');
      backend.typedArrayFromHeap(info).set(values);
      return info;
    },
  };
}

export const wasm: Machine = {
  backendName: 'wasm',
  refuses: refusesEngine,
  forward: forwardKernel(enter),
  backward: backwardKernel(enter),
};
