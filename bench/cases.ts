import {fork} from 'node:child_process';
import path from 'node:path';

import {isGpu} from './backend';
import type {Case, Message} from './case';
import type {GpuCase} from './gpu/case';
import {measureInChromium} from './gpu/chromium';
import type {Measured} from './row';
import type {ModelCase} from './whole/measure';

/** Measures one case in a new process. @throws if a candidate is wrong, or fails */
export function measureCase(c: Case): Promise<Measured[]> {
  const {workload, backend, what, threads} = c;
  return inProcess('case.ts', c, `${workload.name} ${what} on ${backend}, ${threadsOf(threads)}`);
}

/** The same on a GPU, in a new process or a new browser. */
export async function measureGpuCase(c: GpuCase): Promise<Measured[]> {
  const {workload, backend, host, what} = c;
  const title = `${workload.name} ${what} on ${backend}, in ${host}`;
  if (host === 'node') return inProcess('gpu/process.ts', c, title);
  console.error(`${title} ...`);
  try {
    return await measureInChromium(c, (text) => console.error(`  ${text}`));
  } catch (error) {
    throw new Error(`${title}: ${(error as Error).message.split('\n')[0]}`, {cause: error});
  }
}

/** A step of training a model, each candidate in a new process or browser. */
export async function measureModel(c: ModelCase): Promise<Measured[]> {
  const {model, backend, host, threads} = c;
  const where = isGpu(backend) ? `in ${host}` : threadsOf(threads);
  console.error(`a step of ${model.name} on ${backend}, ${where} ...`);
  return (await import('./whole/measure')).measureModel(c); // which loads TF.js
}

function threadsOf(threads: number): string {
  return `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}

function inProcess(script: string, c: Case | GpuCase, title: string): Promise<Measured[]> {
  console.error(`${title} ...`);
  return new Promise((resolve, reject) => {
    const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const;
    const child = fork(path.join(__dirname, script), {stdio: [...stdio]});
    let result: Measured[] | undefined;
    child.on('message', (message: Message) => {
      if ('say' in message) console.error(`  ${message.say}`);
      else if ('rows' in message) result = message.rows;
      else reject(new Error(`${title}: ${message.error}`));
    });
    child.on('error', reject);
    child.on('exit', (status, signal) => {
      if (result) resolve(result);
      else reject(new Error(`${title}: the process ended with ${signal ?? status}.`));
    });
    child.send(c);
  });
}
