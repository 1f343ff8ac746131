/** A case in a process of Node, where WebGPU is Dawn. Started by cases.ts. */
import type {Message} from '../case';
import type {GpuCase} from './case';
import {loadBackend} from './dawn';

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
