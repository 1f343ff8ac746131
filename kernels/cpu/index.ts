/** Local attention on TF.js's cpu backend: the WebAssembly program, on copies. */
import type {TensorInfo} from '@tensorflow/tfjs';

import type {FusedBackend} from '../../src/attention/fused';
import type {Problem} from '../../src/attention/problem';
import {queriesTogether, unsupportedSize} from '../program/call';
import {decodeKernel} from '../program/decode';
import {PrivatePlace, unsupportedMemory} from '../program/memory';
import {unsupportedEngine} from '../program/module';
import {backwardKernel, forwardKernel} from '../program/run';
import {Values, readable} from '../program/values';

/** What we use of MathBackendCPU. */
interface CpuBackend {
  data: {get(id: object): {values: Values}};
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
  disposeData(id: object): boolean;
}

/** The place of a call on this backend. */
export function enter(backend: unknown) {
  const cpu = backend as CpuBackend;
  return new PrivatePlace({
    read: ({dataId, dtype}) => readable(cpu.data.get(dataId).values, dtype),
    write({dataId}, offset, bytes) {
      const {buffer, byteOffset} = cpu.data.get(dataId).values;
      new Uint8Array(buffer).set(bytes, byteOffset + offset);
    },
    make: (shape, values) => cpu.makeTensorInfo(shape, 'float32', values.slice()),
    drop: ({dataId}) => void cpu.disposeData(dataId),
  });
}

function unsupported(p: Problem): string | null {
  return unsupportedEngine() ?? unsupportedSize(p) ?? unsupportedMemory();
}

export const cpu: FusedBackend = {
  backendName: 'cpu',
  forward: {unsupported, run: forwardKernel(enter)},
  backward: {unsupported, run: backwardKernel(enter)},
  decode: {unsupported, run: decodeKernel(enter)},
  queriesTogether,
};
