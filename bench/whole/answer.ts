/** What a process or a page that trains one candidate answers to measure.ts. */
import {Backend, isGpu} from '../backend';
import {Skipped} from '../candidate';
import type {Json} from '../candidates/peers/conversation';
import {kernelsOf} from '../gpu/candidate';
import {commands, countCommands} from '../gpu/commands';
import {deviceOf} from '../gpu/device';
import {runtime} from '../runtime';
import {FIRST_STEPS, MODELS, Model} from './models';
import {Step, begin, timed} from './training';

export interface Load {
  op: 'load';
  candidate: string;
  model: string;
  backend: Backend;
  threads: number;
}

export type Message = Load | {op: 'time'; calls: number};

/** Starts the backend and builds the model. */
export type Maker = (load: Load, model: Model) => Promise<Step>;

export function answerer(make: Maker): (message: Message) => Promise<Json> {
  let step: Step;
  const load = async (message: Load) => {
    countCommands();
    step = await make(message, MODELS[message.model]);
    const {result, kernels} = await kernelsOf(() => begin(step));
    const ofOne = (count: number) => count / (FIRST_STEPS + 1) || null;
    return {
      ...result,
      ...(isGpu(message.backend) && {device: deviceOf()}),
      runtime: runtime(),
      kernels: ofOne(kernels.length),
      dispatches: ofOne(commands.count),
    };
  };
  return async (message) => {
    try {
      return message.op === 'load' ? await load(message) : {ms: await timed(step, message.calls)};
    } catch (error) {
      const key = error instanceof Skipped ? 'skip' : 'error';
      return {[key]: (error as Error).message.split('\n')[0]};
    }
  };
}
