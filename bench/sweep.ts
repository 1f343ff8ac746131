/**
 * How the time grows with the length, the window and the head size:
 *
 *     npx tsx bench/sweep.ts --backend wasm
 *
 * You will see a table for each of n, w and d; the same rows are written as CSV, and a picture of
 * each as SVG. One head at a time, forward; a composition that would need more memory than the
 * backend has is left out, and said so.
 */
import fs from 'node:fs';
import path from 'node:path';
import {Command} from 'commander';

import {Backend, CPU_BACKENDS, installed} from './backend';
import {measureCase} from './cases';
import {csvOf} from './csv';
import {listOf, run, wholeNumber, wholeNumbers} from './flags';
import {machine} from './machine';
import {Origin, origin} from './origin';
import {lineChart} from './plot';
import {tableOf} from './report';
import type {Measured} from './row';
import {WHATS, What, Workload} from './workloads';

const AXES = {
  n: {title: 'tokens', values: [4096, 16384, 65536, 262144, 1048576]},
  w: {title: 'window in tokens', values: [5, 16, 32, 64, 128, 256, 512, 1024]},
  d: {title: 'head size', values: [16, 32, 64, 128, 256]},
};

type Axis = keyof typeof AXES;

const AXIS_NAMES = Object.keys(AXES) as Axis[];
const MIDDLE: Record<Axis, number> = {n: 15360, w: 256, d: 64}; // where another axis varies

interface Flags {
  axis: Axis[];
  backend: Backend[];
  what: What[];
  values?: number[];
  rounds?: number;
  peers?: boolean;
  out: string;
}

const command = new Command('npx tsx bench/sweep.ts')
  .description('Measure local attention over lengths, windows and head sizes.')
  .option('--axis <names>', `of ${AXIS_NAMES.join(', ')}`, listOf(AXIS_NAMES), AXIS_NAMES)
  .option('--backend <names>', `of ${CPU_BACKENDS.join(', ')}`, listOf(CPU_BACKENDS), ['wasm'])
  .option('--what <names>', `of ${WHATS.join(', ')}`, listOf(WHATS), ['forward'])
  .option('--values <numbers>', 'of the axis, in place of the usual ones', wholeNumbers)
  .option('--rounds <n>', 'rounds that count (default: 11, or 3 to 5 of slow ones)', wholeNumber)
  .option('--peers', 'also other libraries, those of scripts/install_peers.sh')
  .option('--out <directory>', 'where to write', 'bench/results');

run(command, async () => {
  const flags = command.opts<Flags>();
  const missing = flags.backend.find((backend) => !installed(backend));
  if (missing) throw new Error(`backend '${missing}' is not installed.`);
  fs.mkdirSync(flags.out, {recursive: true});
  console.log(machine());
  for (const axis of flags.axis) {
    for (const backend of flags.backend) {
      for (const what of flags.what) await sweep(axis, backend, what, flags);
    }
  }
});

async function sweep(axis: Axis, backend: Backend, what: What, flags: Flags) {
  const rows: (Sizes & Measured & Origin)[] = [];
  for (const value of flags.values ?? AXES[axis].values) {
    const sizes = sizesAt(axis, value);
    const workload = {name: `${axis}=${value}`, ...sizes};
    const options = {peers: flags.peers ?? false, rounds: flags.rounds ?? null};
    const measured = await measureCase({workload, backend, what, threads: 1, ...options});
    const taken = measured.filter(({refusal}) => refusal === null);
    rows.push(...taken.map((row) => ({...sizes, ...row, ...origin()})));
  }
  console.log(`\n${tableOf(rows)}`);

  const file = path.join(flags.out, `${axis}_${backend}_${what}`);
  fs.writeFileSync(`${file}.csv`, csvOf(rows));
  const points = rows.map((row) => ({
    candidate: row.candidate,
    x: row[axis],
    y: axis === 'n' ? (1000 * row.medianMs!) / row.n : row.gflops!,
  }));
  const fixed = AXIS_NAMES.filter((name) => name !== axis).map((name) => `${name} ${MIDDLE[name]}`);
  const svg = await lineChart({
    title: `${what} on ${backend}, one head, one thread, ${fixed.join(', ')}`,
    x: AXES[axis].title,
    y: axis === 'n' ? 'microseconds a token' : 'useful GFLOP/s',
    points,
  });
  fs.writeFileSync(`${file}.svg`, svg);
  console.log(`Written: ${file}.csv, ${file}.svg`);
}

type Sizes = Omit<Workload, 'name'>;

function sizesAt(axis: Axis, value: number): Sizes {
  const sizes = {heads: 1, ...MIDDLE, [axis]: value};
  const windows = sizes.n / sizes.w;
  if (windows < 2 || !Number.isInteger(windows)) {
    throw new Error(`${sizes.n} tokens are not two or more windows of ${sizes.w}.`);
  }
  return sizes;
}
