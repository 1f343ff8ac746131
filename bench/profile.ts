/**
 * Where a training step of a whole model goes:
 *
 *     npm run profile -- --workload M1 --backend wasm --faster
 *
 * You will see how many kernels of TF.js a step runs, and the ten that take the longest, each with
 * all its calls together. On webgl (in Chromium) and webgpu a time is that to enqueue, so that the count
 * says more.
 */
import {Command, Option} from 'commander';

import {NAMES, Name, start} from '../scripts/start_backend';
import {run} from './flags';
import {profileInChromium} from './gpu/chromium';
import {tableOf} from './table';
import {MODELS} from './whole';
import {Profile, profiled} from './whole/profiled';

interface Flags {
  workload: string;
  backend: Name;
  faster?: boolean;
  json?: boolean;
}

const LARGEST = 10;

const command = new Command('npm run profile --')
  .description('Show which kernels of TF.js a training step of a whole model spends its time in.')
  .addOption(new Option('--workload <name>').choices(Object.keys(MODELS)).default('M1'))
  .addOption(new Option('--backend <name>').choices(NAMES).default('wasm'))
  .option('--faster', 'after registerFasterKernels()')
  .option('--json', 'print {kernels, ms, rows} as one JSON object in the last line');

run(command, async () => {
  const flags = command.opts<Flags>();
  const profile = await profileOf(flags);
  const {kernels, ms, rows} = profile;
  console.log(`${kernels} kernels, ${ms.toFixed(0)} ms a step`);
  const largest = rows
    .slice(0, LARGEST)
    .map((row) => [row.kernel, `${row.calls}`, row.ms.toFixed(1)]);
  console.log(tableOf([['kernel', 'calls', 'ms'], ...largest]));
  if (flags.json) console.log(JSON.stringify(profile));
});

async function profileOf({workload, backend, faster = false}: Flags): Promise<Profile> {
  if (backend === 'webgl') return profileInChromium({backend, workload, faster});
  const end = await start(backend);
  try {
    return await profiled(workload, faster);
  } finally {
    end();
  }
}
