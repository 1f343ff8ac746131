/** One candidate in a process of its own, because kernels are replaced for all of it. Started by node.ts. */
import {loadBackend} from '../gpu/dawn';
import {setBackend} from '../gpu/set_backend';
import {start} from '../start';
import {Message, answerer} from './answer';
import {jaxSteps} from './jax';
import {TFJS} from './tfjs';

const answer = answerer(async ({candidate, backend, threads}, model) => {
  if (candidate === 'jax-js') return jaxSteps(model, threads);
  if (backend === 'webgpu') {
    await loadBackend();
    await setBackend(backend);
  } else {
    await start(backend, threads);
  }
  return TFJS[candidate](model, threads);
});

process.on('message', async (message: Message) => process.send!(await answer(message)));
