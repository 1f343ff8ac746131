/** WebGPU for tests in Node. */
import {installGpu as install, preferSwiftShader} from '../../scripts/dawn';

function load(): typeof import('webgpu') {
  preferSwiftShader();
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only where it is asked for
  return require('webgpu');
}

/** Gives `global` what a browser's has. */
export function installGpu(global: object): void {
  install(load(), global);
}

/** Why there is no WebGPU here, or null. */
export async function whyNoGpu(): Promise<string | null> {
  try {
    const adapter = await load().create([]).requestAdapter();
    return adapter ? null : 'Dawn finds no adapter: no GPU, nor libvulkan1 and chromium';
  } catch (error) {
    return String(error).split('\n', 1)[0];
  }
}
