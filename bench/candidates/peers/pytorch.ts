/** PyTorch, in a Python process of its own that takes its turn when it is told to. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {Candidate, Skipped} from '../../candidate';
import {RESULTS} from '../../check';
import {bytesOf, python} from './conversation';
import {Task} from './task';

export async function pytorch(
  program: 'local-attention' | 'flex-attention',
  {name, workload, inputs, what, threads}: Task,
): Promise<Candidate> {
  if (program === 'flex-attention' && what !== 'forward') {
    throw new Skipped('FlexAttention has no backward on a CPU');
  }
  const {ask, close: end} = python('pytorch.py');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-pytorch-'));
  const file = path.join(folder, 'values');
  const close = () => {
    end();
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
