import type {Measured, Row} from './row';

const FIELDS = [
  'workload',
  'backend',
  'host',
  'device',
  'runtime',
  'what',
  'threads',
  'candidate',
  'medianMs',
  'minMs',
  'ratio',
  'enqueueMs',
  'kernels',
  'dispatches',
  'peakMiB',
  'maxError',
  'refusal',
] as const satisfies readonly (keyof Row)[];

/** The fields that were promised, and no others. */
export function jsonOf(rows: readonly Measured[]): string {
  return JSON.stringify(
    rows.map((row) => Object.fromEntries(FIELDS.map((field) => [field, row[field]]))),
  );
}

const COLUMNS: Record<string, (row: Measured) => string> = {
  workload: (row) => row.workload,
  backend: (row) => (row.host === 'node' ? row.backend : `${row.backend}, ${row.host}`),
  what: (row) => row.what,
  threads: (row) => String(row.threads),
  candidate: (row) => row.candidate,
  ms: (row) => digits(row.medianMs),
  'least ms': (row) => digits(row.minMs),
  'x fused': (row) => digits(row.ratio),
  'enqueue ms': (row) => digits(row.enqueueMs),
  kernels: (row) => whole(row.kernels),
  dispatches: (row) => whole(row.dispatches),
  'GFLOP/s': (row) => digits(row.gflops),
  'of limit': (row) => row.shareOfLimit === null ? '-' : `${(100 * row.shareOfLimit).toFixed(0)} %`, // prettier-ignore
  'peak MiB': (row) => (row.peakMiB === null ? '-' : row.peakMiB.toFixed(2)),
  error: (row) => row.maxError?.toExponential(0) ?? '-',
  'why not': (row) => row.refusal ?? '-',
};

/** For people: words to the left, numbers to the right; without the columns that none of the rows has. */
export function tableOf(rows: readonly Measured[]): string {
  const columns = Object.entries(COLUMNS).flatMap(([title, cell], c) => {
    const cells = [title, ...rows.map(cell)];
    if (cells.slice(1).every((text) => text === '-')) return [];
    const width = Math.max(...cells.map(({length}) => length));
    return [cells.map((text) => (c < 5 && c !== 3 ? text.padEnd(width) : text.padStart(width)))];
  });
  return columns[0].map((_, line) => columns.map((column) => column[line]).join('  ')).join('\n');
}

/** Three of them, or more where the whole part has more. */
function digits(x: number | null): string {
  if (x === null) return '-';
  return x >= 100 ? x.toFixed(0) : x.toPrecision(3);
}

function whole(x: number | null): string {
  return x === null ? '-' : String(Number(x.toFixed(1)));
}
