/** What we use of TF.js's MathBackendCPU. */
import type {DataType, TensorInfo} from '@tensorflow/tfjs';

export interface CpuBackend {
  data: {get(id: object): {values: Float32Array | Int32Array | Uint8Array}};
  makeTensorInfo(shape: number[], dtype: DataType, values: Float32Array): TensorInfo;
}
