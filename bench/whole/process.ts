/** One candidate in a process of its own, because kernels are replaced for all of it. Started by node.ts. */
import type {Backend} from '../backend';
import {Skipped} from '../candidate';
import type {Json} from '../candidates/peers/conversation';
import {start} from '../start';
import {MODELS} from './index';
import {jaxSteps} from './jax';
import {TFJS} from './tfjs';
import {Step, begin, timed} from './training';

export interface Load {
  op: 'load';
  candidate: string;
  model: string;
  backend: Backend;
  threads: number;
}

type Message = Load | {op: 'time'; calls: number};

let step: Step;

async function answer(message: Message): Promise<object> {
  if (message.op === 'time') return {ms: await timed(step, message.calls)};
  const {candidate, model, backend, threads} = message;
  if (candidate === 'jax-js') {
    step = await jaxSteps(MODELS[model], threads);
  } else {
    await start(backend, threads);
    step = await TFJS[candidate](MODELS[model], threads);
  }
  return begin(step);
}

process.on('message', async (message: Message) => {
  let answered: Json;
  try {
    answered = {...(await answer(message))};
  } catch (error) {
    const key = error instanceof Skipped ? 'skip' : 'error';
    answered = {[key]: (error as Error).message.split('\n')[0]};
  }
  process.send!(answered);
});
