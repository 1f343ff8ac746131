/**
 * Thousands of damaged checkpoints, CHECKPOINT_FUZZ of them: a load ends with the weights of the file,
 * or with a sentence and the weights that were there. 100,000 were run by hand.
 */
import * as tf from '@tensorflow/tfjs';

import {loadCheckpoint} from '../../models/checkpoint';
import {CHECKPOINTS, fileOfCase, targetOf} from '../support/checkpoints';
import {living} from '../support/close';
import {mutated} from '../support/mutated';

const COUNT = Number(process.env.CHECKPOINT_FUZZ ?? 3000);
const LONGEST = 10_000; // ms of one load, of a file of a few KB on a loaded machine
const SENTENCE = /^\[loadCheckpoint\] .+\.$/s;

beforeAll(async () => void (await tf.setBackend('cpu')));

test(
  `${COUNT} mutated files: a sentence, the same weights, and no memory beyond the file's size`,
  async () => {
    const cases = CHECKPOINTS.map((c) => ({target: targetOf(c), file: fileOfCase(c)}));
    const bitsOf = (target: tf.layers.Layer) => Buffer.concat(target.getWeights().map((one) => new Uint8Array(one.dataSync().buffer.slice(0)))); // prettier-ignore
    const before = living();
    const [seen, most] = [
      {refused: 0, loaded: 0},
      {bytes: 0, beyond: -Infinity, ms: 0, heap: 0},
    ];
    const sentences = new Set<string>();
    for (let seed = 0; seed < COUNT; seed++) {
      const {target, file} = cases[seed % cases.length];
      const bad = mutated(file, seed);
      const weights = bitsOf(target);
      const [memory, start] = [process.memoryUsage(), performance.now()];
      const error = await loadCheckpoint(target, bad).then(
        () => null,
        (reason: Error) => reason,
      );
      const [after, ms] = [process.memoryUsage(), performance.now() - start];
      most.ms = Math.max(most.ms, ms);
      if (error === null) {
        seen.loaded++;
        continue;
      }
      seen.refused++;
      const bytes = after.arrayBuffers - memory.arrayBuffers;
      most.bytes = Math.max(most.bytes, bytes);
      most.beyond = Math.max(most.beyond, bytes - bad.length);
      most.heap = Math.max(most.heap, after.heapUsed - memory.heapUsed);
      if (!(error instanceof RangeError) || !SENTENCE.test(error.message)) {
        throw new Error(`seed ${seed}: ${error.stack}`);
      }
      sentences.add(error.message.replace(/'[^']*'|\d+|\[[^\]]*\]/g, '…').slice(0, 120));
      if (!bitsOf(target).equals(weights)) throw new Error(`seed ${seed}: other weights`);
    }
    console.log(JSON.stringify({...seen, ...most, sentences: sentences.size}));
    if (process.env.CHECKPOINT_FUZZ) console.log([...sentences].sort().join('\n'));
    expect(seen.refused).toBeGreaterThan(COUNT / 2);
    expect(sentences.size).toBeGreaterThan(20);
    expect(most.beyond).toBeLessThanOrEqual(0);
    expect(most.ms).toBeLessThan(LONGEST);
    expect(living()).toEqual(before);
  },
  30_000 + COUNT * 10,
);
