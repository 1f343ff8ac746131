/** What we use of TF.js's BackendWasm; its own type would need the package. */
import type {DataType, TensorInfo} from '@tensorflow/tfjs';

export type Values = Float32Array | Int32Array | Uint8Array;

export interface WasmBackend {
  makeOutput(shape: number[], dtype: DataType): TensorInfo;
  /** A view, which is gone as soon as memory grows. */
  typedArrayFromHeap(info: TensorInfo): Values;
}
