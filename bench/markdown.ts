/**
 * Writes the tables of README.md and docs/performance.md from what was measured:
 *
 *     npm run bench -- --workload W1,W2,W3 --threads 1,2 --peers --csv bench/results/bench.csv
 *     npm run bench -- --workload M1,M2 --threads 1,2 --peers --csv bench/results/whole.csv
 *     npm run bench -- --backend webgl,webgpu --peers --csv bench/results/gpu.csv
 *     npx tsx bench/crossover.ts --csv bench/results/crossover.csv
 *     npx tsx bench/markdown.ts
 */
import fs from 'node:fs';
import path from 'node:path';

import {captionOf} from './caption';
import {crossover} from './crossover_table';
import {rowsOf} from './csv';
import {speedups, times} from './gpu/markdown';
import {distinct, tableOf as aligned} from './table';
import {MODELS} from './whole/models';

const ROOT = path.join(__dirname, '..');
const RESULTS = path.join(ROOT, 'bench/results');
export const DOCUMENTS = ['README.md', 'docs/performance.md'];

/** Where the tables stand: of some workloads in a file of results, or of a form. */
const PLACE = /(<!-- bench\/markdown.ts (\w+\.csv) ([\w,]+) -->\n)[\s\S]*?(<!-- end -->)/g;

/** Tables of other forms than a workload's. */
const FORMS: Record<string, (rows: readonly Row[]) => string[]> = {
  ...{speedups, times, crossover},
  three: (rows) => [tableOf('M1', rows.filter(isOfThree))],
};

/** For newcomers: with this package, without, and the original. */
const isOfThree = ({backend, candidate, threads}: Row) =>
  backend === 'wasm' && threads === '1' && ['fused', 'tfjs', 'pytorch'].includes(candidate);

type Row = Record<string, string>;

/** The document with its tables as the results say. */
export function withTables(document: string): string {
  return document.replace(
    PLACE,
    (_, begin: string, file: string, workloads: string, end: string) => {
      const rows = rowsOf(fs.readFileSync(path.join(RESULTS, file), 'utf8'));
      const tables =
        FORMS[workloads]?.(rows) ?? workloads.split(',').map((name) => tableOf(name, rows));
      return `${begin}\n${tables.join('\n')}\n${end}`;
    },
  );
}

/** A row for each candidate of a backend, a column for what was asked, and of what they are. */
function tableOf(workload: string, all: readonly Row[]): string {
  const rows = all.filter((row) => row.workload === workload && row.medianMs !== '');
  const titles = distinct(rows.map(columnOf));
  const lines = distinct(rows.map(lineOf)).map((line) => {
    const cells = titles.map((title) => {
      const row = rows.find((row) => lineOf(row) === line && columnOf(row) === title);
      return row ? cellOf(row) : '–';
    });
    return [line, ...cells];
  });
  return `${aligned([[workload, ...titles], ...lines])}\n${captionOf(rows)}`;
}

const columnOf = ({what, threads}: Row) => `${what}, ${threads} ${threads === '1' ? 'thread' : 'threads'}`; // prettier-ignore
const lineOf = ({backend, candidate}: Row) => `${backend}: ${candidate}`;

/** Milliseconds of the fused kernels, the least of a whole model, and how many times as long the others take. */
function cellOf({workload, candidate, medianMs, minMs, ratio}: Row): string {
  const of = (x: string) => Number(Number(x).toPrecision(3));
  if (candidate === 'fused' || ratio === '')
    return `${of(workload in MODELS ? minMs : medianMs)} ms`;
  return `${of(ratio)}×`;
}

if (require.main === module) {
  for (const name of DOCUMENTS) {
    const file = path.join(ROOT, name);
    fs.writeFileSync(file, withTables(fs.readFileSync(file, 'utf8')));
  }
}
