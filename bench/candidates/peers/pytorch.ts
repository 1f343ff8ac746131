/** PyTorch, in a Python process of its own that takes its turn when it is told to. */
import {ChildProcess, spawn} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

import {Candidate, Skipped} from '../../candidate';
import {RESULTS} from '../../check';
import {PEERS_HOME, notInstalled} from './installed';
import {Task} from './task';

const PYTHON = path.join(PEERS_HOME, '.venv', 'bin', 'python');
const SCRIPT = path.join(__dirname, 'pytorch.py');

export async function pytorch(
  program: 'local-attention' | 'flex-attention',
  {name, workload, inputs, what, threads}: Task,
): Promise<Candidate> {
  if (program === 'flex-attention' && what !== 'forward') {
    throw new Skipped('FlexAttention has no backward on a CPU');
  }
  if (!fs.existsSync(PYTHON)) throw notInstalled('PyTorch');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-pytorch-'));
  const file = path.join(folder, 'values');
  const python = spawn(PYTHON, [SCRIPT], {stdio: ['pipe', 'pipe', 'inherit']});
  const ask = conversation(python);
  const close = () => {
    python.kill();
    fs.rmSync(folder, {recursive: true, force: true});
  };
  process.once('exit', close); // also after an error

  fs.writeFileSync(file, '');
  for (const key of ['q', 'k', 'v', 'dout'] as const) fs.appendFileSync(file, bytesOf(inputs[key]));
  const {skip} = await ask({op: 'load', program, ...workload, what, threads, file});
  if (skip) {
    close();
    throw new Skipped(String(skip));
  }
  return {
    name,
    time: async (calls) => (await ask({op: 'time', calls})).ms as number,
    async results() {
      await ask({op: 'results', file});
      const {buffer, byteOffset} = fs.readFileSync(file);
      const size = workload.heads * workload.n * workload.d;
      return RESULTS[what].map((_, r) => new Float32Array(buffer, byteOffset + 4 * r * size, size));
    },
    peakMiB: () => null,
    close,
  };
}

function bytesOf({buffer, byteOffset, byteLength}: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

type Json = Record<string, unknown>;

/** One line of JSON there, one back. @throws if there is none, or it tells of an error */
function conversation(child: ChildProcess): (message: Json) => Promise<Json> {
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
