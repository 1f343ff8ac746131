/** Compute pipelines of ours, compiled once a device. */
import * as tf from '@tensorflow/tfjs';

const SHOW = 'LOCAL_ATTENTION_SHOW_SHADER';

export interface Kernel {
  /** Names of the tensors in the order in which they are bound. */
  bindings: readonly string[];
  /** Of them, those that are written. */
  written: readonly string[];
  text: string;
}

interface Compiled {
  pipeline: GPUComputePipeline;
  kernel: Kernel;
}

const compiled = new WeakMap<GPUDevice, Map<string, Compiled>>();

/** The pipeline of the kernel that `make` describes; it is made where `key` is new to the device. */
export function pipelineOf(device: GPUDevice, key: string, make: () => Kernel): Compiled {
  const known = compiled.get(device) ?? new Map<string, Compiled>();
  compiled.set(device, known);
  const found = known.get(key);
  if (found) return found;
  const kernel = make();
  if (tf.env().getBool(SHOW)) console.log(kernel.text);
  const made = {pipeline: compile(device, kernel), kernel};
  known.set(key, made);
  return made;
}

function compile(device: GPUDevice, {bindings, written, text}: Kernel): GPUComputePipeline {
  const type = (name: string) => (written.includes(name) ? 'storage' : 'read-only-storage');
  const types: GPUBufferBindingType[] = [...bindings.map(type), 'uniform'];
  // an explicit layout: an automatic one drops what a shader does not use, and bindings then fail
  const layout = device.createBindGroupLayout({
    entries: types.map((type, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: {type},
    })),
  });
  return device.createComputePipeline({
    layout: device.createPipelineLayout({bindGroupLayouts: [layout]}),
    compute: {module: device.createShaderModule({code: text}), entryPoint: 'main'},
  });
}
