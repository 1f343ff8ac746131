/**
 * How fast this package's kernels are, beside what else computes the same:
 *
 *     npm run bench -- --workload W1 --backend wasm
 *
 * You will see a row for each candidate: its time, that time over the fused kernel's, useful
 * GFLOP/s, memory above inputs and results, and the largest error against float64. If any
 * candidate is wrong, there is no table.
 */
import fs from 'node:fs';
import {Command} from 'commander';

import {BACKENDS, Backend, CPU_BACKENDS, GPU_HOSTS, GpuBackend, installed, isGpu} from './backend';
import {measureCase, measureGpuCase, measureModel} from './cases';
import {Planned, measurePlan} from './gpu/plan';
import {csvOf} from './csv';
import {listOf, run, wholeNumber, wholeNumbers} from './flags';
import {machine} from './machine';
import {origin} from './origin';
import {jsonOf, tableOf} from './report';
import type {Measured} from './row';
import {MODELS} from './whole/models';
import {WHATS, WORKLOADS, What} from './workloads';

interface Flags {
  workload?: string[];
  backend?: Backend[];
  what: What[];
  threads: number[];
  rounds?: number;
  peers?: boolean;
  csv?: string;
  json?: boolean;
}

const names = [...Object.keys(WORKLOADS), ...Object.keys(MODELS)];
const ON_A_CPU = ['W1', 'W2', 'W3'];

const command = new Command('npm run bench --')
  .description('Measure local attention beside other ways to compute it.')
  .option(
    '--workload <names>',
    `of ${names.join(', ')} (default: ${ON_A_CPU.join(', ')}; on a GPU, what it can bear)`,
    listOf(names),
  )
  .option(
    '--backend <names>',
    `of ${BACKENDS.join(', ')} (default: those of a CPU that are installed)`,
    listOf(BACKENDS),
  )
  .option('--what <names>', `of ${WHATS.join(', ')}`, listOf(WHATS), [...WHATS])
  .option('--threads <numbers>', 'how many threads, where a candidate has them', wholeNumbers, [1])
  .option('--rounds <n>', 'rounds that count (default: 11, or 3 to 5 of slow ones)', wholeNumber)
  .option('--peers', 'also other libraries, those of scripts/install_peers.sh')
  .option('--csv <file>', 'also write the rows there')
  .option('--json', 'print the rows as one JSON array in the last line');

run(command, async () => {
  const flags = command.opts<Flags>();
  const backends = flags.backend ?? CPU_BACKENDS.filter(present);
  const missing = backends.find((backend) => !installed(backend));
  if (missing) throw new Error(`backend '${missing}' is not installed.`);
  const cpus = backends.filter((backend) => !isGpu(backend));
  const workloads = flags.workload ?? ON_A_CPU;

  console.log(machine());
  const rows: Measured[] = [];
  const keep: Keep = (measured) => {
    rows.push(...measured);
    const stamped = rows.map((row) => ({...row, ...origin()}));
    if (flags.csv) fs.writeFileSync(flags.csv, csvOf(stamped)); // what comes after may take long
    return measured;
  };
  await onCpus(cpus, workloads, flags, keep);
  for (const backend of backends.filter(isGpu)) await onGpu(backend, flags, keep);
  console.log(`\n${tableOf(rows)}`);
  if (flags.json) console.log(jsonOf(rows));
});

type Keep = (measured: Measured[]) => Measured[];

async function onCpus(
  backends: readonly Backend[],
  workloads: readonly string[],
  flags: Flags,
  keep: Keep,
): Promise<void> {
  const options = {peers: flags.peers ?? false, rounds: flags.rounds ?? null};
  for (const name of workloads) {
    const model = MODELS[name];
    for (const backend of backends) {
      for (const what of model ? flags.what.filter((what) => what === 'training') : flags.what) {
        for (const threads of flags.threads) {
          const measured = model
            ? measureModel({model, backend, host: 'node', threads, ...options})
            : measureCase({workload: WORKLOADS[name], backend, what, threads, ...options});
          keep(await measured);
        }
      }
    }
  }
}

async function onGpu(backend: GpuBackend, flags: Flags, keep: Keep): Promise<void> {
  for (const host of GPU_HOSTS[backend]) {
    const measure = async ({workload, what, ...planned}: Planned) => {
      const peers = planned.peers && !!flags.peers;
      const options = {backend, host, peers, rounds: flags.rounds ?? null};
      const measured =
        'vocabulary' in workload
          ? measureModel({model: workload, threads: 1, ...options})
          : measureGpuCase({workload, what, ...options});
      return keep(await measured);
    };
    await measurePlan(measure, flags.workload, flags.what);
  }
}

/** Says so of a backend that is not there. */
function present(backend: Backend): boolean {
  if (installed(backend)) return true;
  console.error(`${backend} is skipped: its package is not installed.`);
  return false;
}
