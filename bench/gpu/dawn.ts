import {installGpu, preferSwiftShader} from '../../scripts/dawn';

/** TF.js's backend webgpu in Node, where WebGPU is Dawn. */
export async function loadBackend(): Promise<void> {
  preferSwiftShader();
  installGpu(await import('webgpu'), globalThis);
  await import('@tensorflow/tfjs-backend-webgpu');
}
