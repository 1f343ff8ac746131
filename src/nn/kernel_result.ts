import type {DataId, KernelBackend, Tensor, TensorInfo} from '@tensorflow/tfjs';

/** What a kernel gives: data, and no tensor. The data outlives the tensor, which is disposed of. */
export function kernelResult(backend: unknown, made: Tensor): TensorInfo {
  const {dataId, shape, dtype} = made;
  (backend as KernelBackend).incRef(dataId as DataId);
  made.dispose();
  return {dataId, shape, dtype};
}
