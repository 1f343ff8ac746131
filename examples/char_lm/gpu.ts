/** WebGPU in Node: Dawn, by npm's package `webgpu`. */
import {create, globals} from 'webgpu';

/**
 * Gives Node what a browser has, where TF.js looks when its webgpu backend is loaded.
 *
 * @throws if there is no GPU
 */
export async function installGpu(): Promise<void> {
  const gpu = create([]);
  if (!(await gpu.requestAdapter())) {
    throw new Error(
      'Dawn finds no GPU; VK_ICD_FILENAMES names the driver, be it that of SwiftShader',
    );
  }
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', {value: {gpu}, configurable: true});
}
