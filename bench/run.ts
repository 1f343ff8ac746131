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

import {BACKENDS, Backend, installed} from './backend';
import type {Measured} from './case';
import {measureCase} from './cases';
import {listOf, run, wholeNumber, wholeNumbers} from './flags';
import {machine} from './machine';
import {csvOf, jsonOf, tableOf} from './report';
import {WHATS, WORKLOADS, What} from './workloads';

interface Flags {
  workload: string[];
  backend?: Backend[];
  what: What[];
  threads: number[];
  rounds?: number;
  peers?: boolean;
  csv?: string;
  json?: boolean;
}

const names = Object.keys(WORKLOADS);

const command = new Command('npm run bench --')
  .description('Measure local attention beside other ways to compute it.')
  .option('--workload <names>', `of ${names.join(', ')}`, listOf(names), names)
  .option(
    '--backend <names>',
    `of ${BACKENDS.join(', ')} (default: all installed)`,
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
  const backends = flags.backend ?? BACKENDS.filter(present);
  const missing = backends.find((backend) => !installed(backend));
  if (missing) throw new Error(`backend '${missing}' is not installed.`);

  console.log(machine());
  const rows: Measured[] = [];
  for (const workload of flags.workload.map((name) => WORKLOADS[name])) {
    for (const backend of backends) {
      for (const what of flags.what) {
        for (const threads of flags.threads) {
          const options = {peers: flags.peers ?? false, rounds: flags.rounds ?? null};
          rows.push(...(await measureCase({workload, backend, what, threads, ...options})));
        }
      }
    }
  }
  if (flags.csv) fs.writeFileSync(flags.csv, csvOf(rows));
  console.log(`\n${tableOf(rows)}`);
  if (flags.json) console.log(jsonOf(rows));
});

/** Says so of a backend that is not there. */
function present(backend: Backend): boolean {
  if (installed(backend)) return true;
  console.error(`${backend} is skipped: its package is not installed.`);
  return false;
}
