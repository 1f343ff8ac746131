/** WebGPU in Node: Dawn, by npm's `webgpu`, on a GPU or on the SwiftShader of Debian's chromium. */
import {existsSync} from 'node:fs';

export const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Takes SwiftShader where it is there and no driver is named; before Dawn is loaded. */
export function preferSwiftShader(): void {
  const named = process.env.VK_ICD_FILENAMES ?? process.env.VK_DRIVER_FILES;
  if (named === undefined && existsSync(SWIFTSHADER)) process.env.VK_ICD_FILENAMES = SWIFTSHADER;
}

/** Gives `global` what a browser's has; before TF.js's webgpu backend is loaded, which looks there. */
export function installGpu({create, globals}: typeof import('webgpu'), global: object): GPU {
  const gpu = create([]);
  Object.assign(global, globals);
  const navigator = {value: {gpu}, configurable: true, writable: true};
  Object.defineProperty(global, 'navigator', navigator);
  return gpu;
}
