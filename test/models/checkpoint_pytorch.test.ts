/** Fresh models of ours, saved, and loaded by the real original: what strict=True says. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

import * as tf from '@tensorflow/tfjs';

import {saveCheckpoint} from '../../models/checkpoint';
import {CHECKPOINTS, largestDifference, outputOf, targetOf} from '../support/checkpoints';
import {shell, testWithPyTorch} from '../support/pytorch';

interface Answer {
  message: string;
  output: {data: number[]};
}

beforeAll(async () => void (await tf.setBackend('cpu')));

testWithPyTorch(
  'the original takes what is saved by load_state_dict(strict=True), and answers alike',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'checkpoints-'));
    const ours = new Map<string, Float32Array>();
    for (const c of CHECKPOINTS) {
      const target = targetOf(c, 7);
      spread(target);
      writeFileSync(join(folder, c.file), await saveCheckpoint(target));
      ours.set(c.name, await outputOf(target, c));
    }
    const printed = shell(`python scripts/make_checkpoints.py --load '${folder}'`);
    rmSync(folder, {recursive: true});

    const answers = new Map(Object.entries(JSON.parse(printed) as Record<string, Answer>));
    expect([...answers.keys()]).toEqual([...ours.keys()]);
    for (const [name, {message, output}] of answers) {
      expect([name, message]).toEqual([name, '<All keys matched successfully>']);
      const difference = largestDifference(ours.get(name)!, output.data);
      if (!(difference < 1e-4)) throw new Error(`${name}: the answers differ by ${difference}`);
    }
  },
  120_000,
);

/** Moves every weight, of which many of a fresh model are zeros and ones. */
function spread(target: tf.layers.Layer): void {
  tf.tidy(() =>
    target.weights.forEach(
      (weight, i) =>
      weight.write(tf.add(weight.read(), tf.randomUniform(weight.shape as number[], -0.3, 0.3, 'float32', i))), // prettier-ignore
    ),
  );
}
