/**
 * Where a training step of a whole model goes:
 *
 *     npm run profile -- --workload M1 --backend wasm --faster
 *
 * You will see how many kernels of TF.js a step runs, and the ten that take the longest, each with
 * all its calls together. On webgpu a time is that to enqueue, so that the count says more.
 */
import * as tf from '@tensorflow/tfjs';
import {Command, Option} from 'commander';
import {registerFasterKernels} from 'tfjs-local-attention';

import {Name, start} from '../scripts/start_backend';
import {run} from './flags';
import {tableOf} from './table';
import {MODELS, batchesOf, compiled} from './whole';

interface Flags {
  workload: string;
  backend: Name;
  faster?: boolean;
  json?: boolean;
}

interface Row {
  kernel: string;
  calls: number;
  ms: number;
}

const WARM_UP = 2; // steps: memory grows, and shaders are compiled
const LARGEST = 10;

const command = new Command('npm run profile --')
  .description('Show which kernels of TF.js a training step of a whole model spends its time in.')
  .addOption(new Option('--workload <name>').choices(Object.keys(MODELS)).default('M1'))
  .addOption(
    new Option('--backend <name>').choices(['cpu', 'wasm', 'tensorflow', 'webgpu']).default('wasm'),
  )
  .option('--faster', 'after registerFasterKernels()')
  .option('--json', 'print {kernels, ms, rows} as one JSON object in the last line');

run(command, async () => {
  const flags = command.opts<Flags>();
  const end = await start(flags.backend);
  if (flags.faster) registerFasterKernels();
  const rows = watch(flags.backend);
  const model = compiled(MODELS[flags.workload], 'auto');
  const batches = batchesOf(MODELS[flags.workload]);
  let ms = 0;
  for (const {input, target} of batches.slice(0, WARM_UP + 1)) {
    rows.clear();
    const begin = performance.now();
    await model.trainOnBatch(input, target);
    ms = performance.now() - begin;
  }
  const all = [...rows.values()].sort((a, b) => b.ms - a.ms);
  const kernels = all.reduce((sum, {calls}) => sum + calls, 0);
  console.log(`${kernels} kernels, ${ms.toFixed(0)} ms a step`);
  const largest = all
    .slice(0, LARGEST)
    .map((row) => [row.kernel, `${row.calls}`, row.ms.toFixed(1)]);
  console.log(tableOf([['kernel', 'calls', 'ms'], ...largest]));
  if (flags.json) console.log(JSON.stringify({kernels, ms, rows: all}));
  end();
});

/** Counts and times the kernels of a backend from now on; of one that calls another, both. */
function watch(backend: string): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const config of tf.getKernelsForBackend(backend)) {
    const {kernelName: kernel, kernelFunc} = config;
    const timed: tf.KernelFunc = (call) => {
      const begin = performance.now();
      const result = kernelFunc(call);
      const row = rows.get(kernel) ?? {kernel, calls: 0, ms: 0};
      row.calls++;
      row.ms += performance.now() - begin;
      rows.set(kernel, row);
      return result;
    };
    tf.unregisterKernel(kernel, backend);
    tf.registerKernel({...config, kernelFunc: timed});
  }
  return rows;
}
