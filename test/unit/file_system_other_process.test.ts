/** One process loads while another one saves. */
import {fork} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import {fileSystem} from 'tfjs-local-attention/node';
import {SIZES, sizedModel} from '../support/save_in_a_loop';

jest.setTimeout(60_000); // the saving process has TF.js to load first

const SCRIPT = path.join(__dirname, '..', 'support', 'save_in_a_loop.ts');
const LOADS = 30_000;

/** In memory, where there is such a place: saves that take no time come between more often. */
const parent = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();

let directory: string;

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(parent, 'file-system-'));
});

afterEach(() => fs.rmSync(directory, {recursive: true}));

/** Says which model it is, or that it is none. */
function describe({modelTopology, weightData}: tf.io.ModelArtifacts): string {
  const {size} = modelTopology as {size: number};
  const expected = new Uint8Array(sizedModel(size).weightData);
  const whole = Buffer.from(weightData as ArrayBuffer).equals(expected);
  return whole ? `the model of ${size} weights` : 'a mixture';
}

test(`each of ${LOADS} loads gives the earlier or the later model, whole`, async () => {
  const child = fork(SCRIPT, [directory], {execArgv: ['--import', 'tsx']});
  const outcomes = new Map<string, number>();
  try {
    await once(child, 'message');
    for (let loads = 0; loads < LOADS; loads++) {
      const outcome = await fileSystem(directory).load!().then(describe, String);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  const models = SIZES.map((size) => `the model of ${size} weights`);
  expect([...outcomes.keys()].sort()).toEqual(models.sort());
});
