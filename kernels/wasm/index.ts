/**
 * Local attention on TF.js's wasm backend, in the backend's own memory: tensors are copied neither
 * in nor out. That memory, `wasm.asm.memory`, is not documented, so it is looked for at the first
 * call; where it is not found, as in the threaded build, whose memory is shared, the module gets a
 * memory of its own and copies.
 */
import type {TensorInfo} from '@tensorflow/tfjs';

import {refuse} from '../../src/errors';
import type {Machine} from '../../src/fused';
import {enterArena, sizeOf} from './arena';
import {Exports, instantiate, refusesEngine, refusesSize} from './module';
import {Place, backwardKernel, forwardKernel} from './run';

/** What we use of BackendWasm; its own type would need the package. */
interface WasmBackend {
  wasm: {
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    HEAPU8: Uint8Array;
    asm?: {memory?: WebAssembly.Memory};
  };
  dataIdMap: {get(id: object): {memoryOffset: number}};
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo;
  disposeData(id: object): boolean;
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
  const memory = wasm.asm?.memory;
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
      return given(address(info), 4 * sizeOf(shape));
    },
    scratch(bytes) {
      borrowed = backend.wasm._malloc(bytes) >>> 0;
      return given(borrowed, bytes);
    },
    results: () => outputs,
    leave(failed) {
      if (borrowed) backend.wasm._free(borrowed);
      if (failed) for (const {dataId} of outputs) backend.disposeData(dataId);
    },
  };
}

// TF.js takes what its allocator answers, also 0, which is where its own data begins
function given(pointer: number, bytes: number): number {
  if (pointer === 0) refuse('localAttention', `wasm has no ${bytes} bytes left`);
  return pointer;
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
  refuses: (p) => refusesEngine() ?? refusesSize(p),
  forward: forwardKernel(enter),
  backward: backwardKernel(enter),
};
