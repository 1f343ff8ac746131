/** WebGPU in Node: Dawn, by npm's `webgpu`, on a GPU or on the SwiftShader of Debian's chromium. */
import {existsSync} from 'node:fs';

export const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

type Dawn = typeof import('webgpu');

function load(): Dawn {
  const named = process.env.VK_ICD_FILENAMES ?? process.env.VK_DRIVER_FILES;
  if (named === undefined && existsSync(SWIFTSHADER)) process.env.VK_ICD_FILENAMES = SWIFTSHADER;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only where it is asked for
  return require('webgpu') as Dawn;
}

/** Gives `global` what a browser's has; before TF.js's webgpu backend is loaded, which looks there. */
export function installGpu(global: object): void {
  const {create, globals} = load();
  Object.assign(global, globals);
  const navigator = {value: {gpu: create([])}, configurable: true, writable: true};
  Object.defineProperty(global, 'navigator', navigator);
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
