/** A case in a process of Node, where WebGPU is Dawn. Started by cases.ts. */
import {existsSync} from 'node:fs';

import type {Message} from '../case';
import type {GpuCase} from './case';

const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Gives Node what a browser has; before TF.js's backend is loaded, which looks there. */
async function installDawn(): Promise<void> {
  const named = process.env.VK_ICD_FILENAMES ?? process.env.VK_DRIVER_FILES;
  if (named === undefined && existsSync(SWIFTSHADER)) process.env.VK_ICD_FILENAMES = SWIFTSHADER;
  const {create, globals} = await import('webgpu');
  Object.assign(globalThis, globals);
  const navigator = {value: {gpu: create([])}, configurable: true, writable: true};
  Object.defineProperty(globalThis, 'navigator', navigator);
  await import('@tensorflow/tfjs-backend-webgpu');
}

const say = (text: string) => void process.send!({say: text} satisfies Message);

process.once('message', async (c: GpuCase) => {
  let message: Message;
  try {
    await installDawn();
    const {runGpuCase} = await import('./case');
    message = {rows: await runGpuCase(c, () => ({}), say)}; // other libraries run in the page
  } catch (error) {
    message = {error: (error as Error).message};
  }
  process.send!(message, () => process.exit());
});
