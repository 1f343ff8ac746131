/** A case in a process of Node, where WebGPU is Dawn. Started by cases.ts. */
import {installGpu, preferSwiftShader} from '../../scripts/dawn';
import type {Message} from '../case';
import type {GpuCase} from './case';

async function loadBackend(): Promise<void> {
  preferSwiftShader();
  installGpu(await import('webgpu'), globalThis);
  await import('@tensorflow/tfjs-backend-webgpu');
}

const say = (text: string) => void process.send!({say: text} satisfies Message);

process.once('message', async (c: GpuCase) => {
  let message: Message;
  try {
    await loadBackend();
    const {runGpuCase} = await import('./case');
    message = {rows: await runGpuCase(c, () => ({}), say)}; // other libraries run in the page
  } catch (error) {
    message = {error: (error as Error).message};
  }
  process.send!(message, () => process.exit());
});
