import {fork} from 'node:child_process';
import path from 'node:path';

import type {Case, Measured, Message} from './case';

const SCRIPT = path.join(__dirname, 'case.ts');

/** Measures one case in a new process. @throws if a candidate is wrong, or fails */
export function measureCase(c: Case): Promise<Measured[]> {
  const {workload, backend, what, threads} = c;
  const many = `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const title = `${workload.name} ${what} on ${backend}, ${many}`;
  console.error(`${title} ...`);
  return new Promise((resolve, reject) => {
    const child = fork(SCRIPT, {stdio: ['ignore', 'ignore', 'inherit', 'ipc']});
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
