import type {Measured, Row} from './case';

const FIELDS = [
  'workload',
  'backend',
  'what',
  'threads',
  'candidate',
  'medianMs',
  'minMs',
  'ratio',
  'peakMiB',
  'maxError',
] as const satisfies readonly (keyof Row)[];

/** The fields that were promised, and no others. */
export function jsonOf(rows: readonly Measured[]): string {
  return JSON.stringify(
    rows.map((row) => Object.fromEntries(FIELDS.map((field) => [field, row[field]]))),
  );
}

/** With a header line; what is unknown is empty. */
export function csvOf(rows: readonly object[]): string {
  const fields = Object.keys(rows[0] ?? {});
  const lines = rows.map((row) =>
    fields.map((field) => (row as Record<string, unknown>)[field] ?? '').join(','),
  );
  return [fields.join(','), ...lines, ''].join('\n');
}

const COLUMNS: Record<string, (row: Measured) => string> = {
  workload: (row) => row.workload,
  backend: (row) => row.backend,
  what: (row) => row.what,
  threads: (row) => String(row.threads),
  candidate: (row) => row.candidate,
  ms: (row) => digits(row.medianMs),
  'least ms': (row) => digits(row.minMs),
  'x fused': (row) => (row.ratio === null ? '-' : digits(row.ratio)),
  'GFLOP/s': (row) => digits(row.gflops),
  'of limit': (row) => `${(100 * row.shareOfLimit).toFixed(0)} %`,
  'peak MiB': (row) => (row.peakMiB === null ? '-' : row.peakMiB.toFixed(2)),
  error: (row) => row.maxError.toExponential(0),
};

/** For people: words to the left, numbers to the right. */
export function tableOf(rows: readonly Measured[]): string {
  const columns = Object.entries(COLUMNS).map(([title, cell], c) => {
    const cells = [title, ...rows.map(cell)];
    const width = Math.max(...cells.map(({length}) => length));
    return cells.map((text) => (c < 5 && c !== 3 ? text.padEnd(width) : text.padStart(width)));
  });
  return columns[0].map((_, line) => columns.map((column) => column[line]).join('  ')).join('\n');
}

/** Three of them, or more where the whole part has more. */
function digits(x: number): string {
  return x >= 100 ? x.toFixed(0) : x.toPrecision(3);
}
