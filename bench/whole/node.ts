import {fork} from 'node:child_process';
import path from 'node:path';

import type {Conversation, Json} from '../candidates/peers/conversation';

/** With process.ts, or another program. */
export function node(program = path.join(__dirname, 'process.ts')): Conversation {
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const;
  const child = fork(program, {stdio: [...stdio]});
  const ended = new Promise<never>((_, reject) =>
    child.once('exit', (status, signal) =>
      reject(new Error(`the process ended with ${signal ?? status}.`)),
    ),
  );
  ended.catch(() => {}); // when nothing is asked
  return {
    async ask(message) {
      const answered = new Promise<Json>((resolve) => child.once('message', resolve));
      child.send(message);
      const answer = await Promise.race([answered, ended]);
      if (answer.error) throw new Error(String(answer.error));
      return answer;
    },
    close: () => void child.kill(),
  };
}
