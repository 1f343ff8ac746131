/** Local attention on TF.js's cpu backend: the WebAssembly program, on copies. */
import type {TensorInfo} from '@tensorflow/tfjs';

import type {FusedBackend} from '../../src/attention/fused';
import type {Problem} from '../../src/attention/problem';
import {queriesTogether, unsupportedSize} from '../program/call';
import {PrivatePlace, unsupportedMemory} from '../program/memory';
import {unsupportedEngine} from '../program/module';
import {backwardKernel, forwardKernel} from '../program/run';

/** What we use of MathBackendCPU. */
interface CpuBackend {
  data: {get(id: object): {values: Float32Array | Int32Array | Uint8Array}};
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
  disposeData(id: object): boolean;
}

/** The place of a call on this backend. */
export function enter(backend: unknown) {
  const cpu = backend as CpuBackend;
  return new PrivatePlace({
    read: (tensor) => (tensor.dtype === 'bool' ? bools(cpu, tensor) : floats(cpu, tensor)),
    make: (shape, values) => cpu.makeTensorInfo(shape, 'float32', values.slice()),
    drop: ({dataId}) => void cpu.disposeData(dataId),
  });
}

/** TF.js's cast leaves the array as it is and changes the dtype alone, so any kind may come. */
function floats(backend: CpuBackend, {dataId}: TensorInfo): Float32Array {
  const {values} = backend.data.get(dataId);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

function bools(backend: CpuBackend, {dataId}: TensorInfo): Uint8Array {
  const {values} = backend.data.get(dataId);
  return values instanceof Uint8Array ? values : Uint8Array.from(values, (value) => +(value !== 0));
}

function unsupported(p: Problem): string | null {
  return unsupportedEngine() ?? unsupportedSize(p) ?? unsupportedMemory();
}

export const cpu: FusedBackend = {
  backendName: 'cpu',
  forward: {unsupported, run: forwardKernel(enter)},
  backward: {unsupported, run: backwardKernel(enter)},
  queriesTogether,
};
