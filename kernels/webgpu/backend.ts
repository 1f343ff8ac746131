/** What we use of TF.js's WebGPUBackend, and why a backend cannot be used, in words. */
import type {DataType, TensorInfo} from '@tensorflow/tfjs';

/** What TF.js binds for a dispatch: output first, then inputs, then uniforms. */
export interface Program {
  variableNames: string[];
  outputShape: number[];
  dispatchLayout: {x: number[]};
  dispatch: [number, number, number];
  workgroupSize: [number, number, number];
  shaderKey: string;
  uniforms: string;
  getUserCode(): string;
  pipeline?: GPUComputePipeline;
}

export interface Uniform {
  type: 'float32' | 'int32' | 'uint32';
  data: number[];
}

interface TensorData {
  /** Of the buffer, whatever a cast has made of the tensor. */
  dtype: DataType;
  resource?: GPUBuffer | null;
  /** Not the backend's to give back. */
  external?: boolean;
}

export interface WebGpuBackend {
  device: GPUDevice;
  adapterInfo?: {vendor?: string; architecture?: string};
  tensorMap: {get(id: object): TensorData};
  makeTensorInfo(shape: number[], dtype: DataType, values?: Float32Array): TensorInfo;
  disposeData(id: object, force?: boolean): boolean;
  uploadToGPU(id: object): void;
  submitQueue(): void;
  endComputePassEncoder(): void;
  ensureCommandEncoderReady(): void;
  runWebGPUProgram(
    program: Program,
    inputs: TensorInfo[],
    dtype: DataType,
    uniforms: Uniform[],
    output: TensorInfo,
  ): TensorInfo;
}

const METHODS = [
  'makeTensorInfo',
  'disposeData',
  'uploadToGPU',
  'submitQueue',
  'endComputePassEncoder',
  'ensureCommandEncoderReady',
  'runWebGPUProgram',
] as const;

/** Why each device is lost, by what it said when it was. */
const losses = new WeakMap<GPUDevice, {reason: string | null}>();

/** Why this backend is not the one we know, or its device is gone; null where all is well. */
export function whyNotBackend(backend: unknown): string | null {
  const known = backend as WebGpuBackend;
  const missing = METHODS.find((name) => typeof known[name] !== 'function');
  if (missing !== undefined || !known.device || !known.tensorMap) {
    return `this version of TF.js has no ${missing ?? 'device'} in its WebGPU backend`;
  }
  return lossOf(known.device);
}

function lossOf(device: GPUDevice): string | null {
  const known = losses.get(device);
  if (known) return known.reason;
  const loss = {reason: null as string | null};
  losses.set(device, loss);
  void device.lost.then(({reason, message}) => {
    const why = [reason, message].filter((word) => word && word !== 'unknown').join(': ');
    loss.reason = `its device was lost${why ? ` (${why})` : ''}; load the page again`;
  });
  return null;
}
