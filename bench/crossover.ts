/**
 * From which length on local attention is faster than full attention:
 *
 *     npx tsx bench/crossover.ts --csv bench/results/crossover.csv
 *
 * You will see a row for each length and candidate, forward or in training: windows of 128 (which see
 * up to 256 keys), full causal attention by the same kernels (one window of all tokens), and full
 * attention as one composes it of TF.js's ops. Least times are compared: what disturbs only adds.
 */
import fs from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import {Command} from 'commander';

import {fused} from './candidates/fused';
import {Attend, tfjsCandidate, upload} from './candidates/tfjs';
import {csvOf} from './csv';
import {run, wholeNumber, wholeNumbers} from './flags';
import type {GpuCandidate} from './gpu/candidate';
import {takeTurns} from './gpu/turns';
import {machine} from './machine';
import {countMemories} from './memory';
import {origin} from './origin';
import {processor} from './processor';
import {runtime} from './runtime';
import {start} from './start';
import {tableOf} from './table';
import {WHATS, What, inputsOf} from './workloads';

const MASKED_SCORE = -3.4e38;
const LONGEST_COMPOSED = 512; // beyond, a call takes seconds
const SIZES = {heads: 4, w: 128, d: 64};

const command = new Command('npx tsx bench/crossover.ts')
  .description('Measure local beside full attention over lengths, on wasm, one thread.')
  .option('--lengths <numbers>', 'in tokens', wholeNumbers, [128, 256, 512, 1024, 2048, 4096])
  .option('--rounds <n>', 'of each candidate, in turns', wholeNumber, 25)
  .option('--csv <file>', 'also write the rows there');

run(command, async () => {
  const {lengths, rounds, csv} = command.opts<{lengths: number[]; rounds: number; csv?: string}>();
  console.log(machine());
  countMemories();
  await start('wasm', 1);
  const rows = [];
  for (const n of lengths) {
    for (const what of WHATS) rows.push(...(await measureLength(n, what, rounds)));
    if (csv) fs.writeFileSync(csv, csvOf(rows));
  }
  const shown = rows.map(({n, what, candidate, minMs, ratio}) => [
    ...[`${n}, ${what}`, candidate, `${minMs.toPrecision(3)} ms`, `${ratio.toPrecision(3)}×`],
  ]);
  console.log(tableOf([['tokens', 'candidate', 'time', 'over local'], ...shown]));
});

async function measureLength(n: number, what: What, rounds: number) {
  const workload = {name: `n=${n}`, ...SIZES, n};
  const tensors = upload(inputsOf(workload), workload, what);
  const attends: Record<string, Attend> = {
    fused: fused(workload),
    'full, fused': fused({...workload, w: n}),
    ...(n <= LONGEST_COMPOSED && {'full, tfjs': composed(workload.d, n)}),
  };
  const candidates: GpuCandidate[] = [];
  for (const [name, attend] of Object.entries(attends)) {
    candidates.push({...(await tfjsCandidate(name, attend, tensors)), kernels: null});
  }
  const timings = await takeTurns(candidates, false, rounds);
  tf.dispose([...tensors]);
  const about = {workload: workload.name, backend: 'wasm', host: 'node', device: processor()};
  return candidates.map(({name, peakMiB}, at) => ({
    ...{...SIZES, n, ...about, runtime: runtime(), what, threads: 1},
    ...{candidate: name, medianMs: timings[at].medianMs, minMs: timings[at].minMs},
    ...{ratio: timings[at].minMs / timings[0].minMs, peakMiB: peakMiB(), ...origin()},
  }));
}

/** q, k, v: [heads, n, d] -> the same, through scores [heads, n, n] */
function composed(d: number, n: number): Attend {
  return (q, k, v) => {
    const scores = tf.matMul(tf.mul(q, d ** -0.5), k, false, true);
    const places = tf.range(0, n);
    const seen = tf.lessEqual(tf.reshape(places, [1, 1, n]), tf.reshape(places, [1, n, 1]));
    const masked = tf.where(seen, scores, tf.fill(scores.shape, MASKED_SCORE));
    return tf.matMul(tf.softmax(masked), v);
  };
}
