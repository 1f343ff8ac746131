/**
 * Writes the tables of docs/performance.md from what was measured:
 *
 *     npm run bench -- --workload W1,W2,W3 --threads 1,2 --peers --csv bench/results/bench.csv
 *     npx tsx bench/markdown.ts
 */
import fs from 'node:fs';
import path from 'node:path';

const ROOT = path.join(__dirname, '..');
const DOCUMENT = path.join(ROOT, 'docs/performance.md');
const RESULTS = path.join(ROOT, 'bench/results/bench.csv');
const START = '<!-- made by bench/markdown.ts -->\n';
const END = '<!-- end -->';

type Row = Record<'workload' | 'backend' | 'what' | 'threads' | 'candidate' | 'medianMs' | 'ratio', string>; // prettier-ignore

/** The document with its tables as the results say. */
export function withTables(document: string, csv: string): string {
  const [head, rest] = document.split(START);
  const [, tail] = rest.split(END);
  return `${head}${START}\n${tablesOf(rowsOf(csv))}\n${END}${tail}`;
}

function rowsOf(csv: string): Row[] {
  const [header, ...lines] = csv.trim().split('\n');
  const fields = header.split(',');
  return lines.map((line) => {
    const values = line.split(',');
    return Object.fromEntries(fields.map((field, i) => [field, values[i]])) as Row;
  });
}

/** A table for each workload: a row for each candidate of a backend, a column for what was asked. */
function tablesOf(rows: readonly Row[]): string {
  return distinct(rows.map(({workload}) => workload))
    .map((workload) => tableOf(workload, rows.filter((row) => row.workload === workload)))
    .join('\n');
}

function tableOf(workload: string, rows: readonly Row[]): string {
  const titles = distinct(rows.map(columnOf));
  const lines = distinct(rows.map(lineOf)).map((line) => {
    const cells = titles.map((title) => {
      const row = rows.find((row) => lineOf(row) === line && columnOf(row) === title);
      return row ? cellOf(row) : '–';
    });
    return `| ${[line, ...cells].join(' | ')} |`;
  });
  const header = `| ${[workload, ...titles].join(' | ')} |`;
  const rule = `| --- |${titles.map(() => ' ---: |').join('')}`;
  return [header, rule, ...lines, ''].join('\n');
}

const columnOf = ({what, threads}: Row) => `${what}, ${threads} ${threads === '1' ? 'thread' : 'threads'}`; // prettier-ignore
const lineOf = ({backend, candidate}: Row) => `${backend}: ${candidate}`;

/** Milliseconds of the fused kernels, and how many times as long the others take. */
function cellOf({candidate, medianMs, ratio}: Row): string {
  const of = (x: string) => Number(Number(x).toPrecision(3));
  if (candidate === 'fused' || ratio === '') return `${of(medianMs)} ms`;
  return `${of(ratio)}×`;
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}

if (require.main === module) {
  const document = fs.readFileSync(DOCUMENT, 'utf8');
  fs.writeFileSync(DOCUMENT, withTables(document, fs.readFileSync(RESULTS, 'utf8')));
}
