import {ChildProcess, spawn} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

import {PEERS_HOME, notInstalled} from './installed';

export type Json = Record<string, unknown>;

/** Another process: it answers a message with a message. */
export interface Conversation {
  /** @throws if there is no answer, or it tells of an error */
  ask(message: Json): Promise<Json>;
  close(): void;
}

const PYTHON = path.join(PEERS_HOME, '.venv', 'bin', 'python');

/** With a script beside this file, in the Python of the peers. @throws Skipped where there is none */
export function python(script: string): Conversation {
  if (!fs.existsSync(PYTHON)) throw notInstalled('PyTorch');
  const child = spawn(PYTHON, ['-B', path.join(__dirname, script)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return {ask: conversation(child), close: () => void child.kill()};
}

/** One line of JSON there, one back. */
function conversation(child: ChildProcess): Conversation['ask'] {
  const lines = readline.createInterface({input: child.stdout!})[Symbol.asyncIterator]();
  child.stdin!.on('error', () => {}); // it died: the missing answer tells
  return async (message) => {
    child.stdin!.write(`${JSON.stringify(message)}\n`);
    const {value, done} = await lines.next();
    if (done) throw new Error('the Python process ended without an answer.');
    const answer = JSON.parse(value) as Json;
    if (answer.error) throw new Error(`in Python: ${answer.error}`);
    return answer;
  };
}

export function bytesOf({buffer, byteOffset, byteLength}: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
