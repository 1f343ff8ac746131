/** Tables of what was measured on a GPU, of least times: what disturbs only adds. */
import {captionOf} from '../caption';
import {distinct, tableOf} from '../table';

type Row = Record<string, string>;

const HOSTS: Record<string, string> = {node: 'Node', chromium: 'Chromium'};

const placeOf = ({backend, host}: Row) => `${backend}, ${HOSTS[host]}`;
const caseOf = ({workload, what}: Row) => `${workload}, ${what}`;
const rounded = (x: number) => Number(x.toPrecision(x >= 1000 ? 4 : 3));

/** What fused is compared with: attention composed of TF.js's ops, alone or in a whole model. */
const COMPOSED = ['composite', 'tfjs'];

/** How many times as long as the fused kernels the composite takes, and how long until a call returns. */
export function speedups(rows: readonly Row[]): string[] {
  const places = distinct(rows.map(placeOf));
  const cases = distinct(rows.map(caseOf)).sort();
  const ratio = (name: string, place: string, of: (row: Row) => string) => {
    const [fused, composite] = [['fused'], COMPOSED].map((candidates) => {
      const row = rows.find(
        (row) =>
          caseOf(row) === name && placeOf(row) === place && candidates.includes(row.candidate),
      );
      return row ? of(row) : '';
    });
    return fused && composite ? `${rounded(Number(composite) / Number(fused))}×` : '–';
  };
  const lines = (title: (name: string) => string, of: (row: Row) => string) =>
    cases
      .map((name) => [title(name), ...places.map((place) => ratio(name, place, of))])
      .filter((cells) => cells.slice(1).some((cell) => cell !== '–'));
  return [
    tableOf([
      ['the composite over fused', ...places],
      ...lines(
        (name) => name,
        (row) => row.minMs,
      ),
      ...lines(
        (name) => `${name}, until the call returns`,
        (row) => row.enqueueMs,
      ),
    ]),
    captionOf(rows.filter(({candidate}) => ['fused', ...COMPOSED].includes(candidate))),
  ];
}

/** Milliseconds of each candidate, and in brackets its dispatches or draws; a table for each place. */
export function times(rows: readonly Row[]): string[] {
  return distinct(rows.map(placeOf)).map((place) => {
    const here = rows.filter((row) => placeOf(row) === place);
    const candidates = distinct([...here].sort(fusedFirst).map(({candidate}) => candidate));
    const lines = distinct(here.map(caseOf))
      .sort()
      .map((name) => [
        name,
        ...candidates.map((candidate) =>
          cellOf(here.find((row) => caseOf(row) === name && row.candidate === candidate)),
        ),
      ]);
    const why = distinct(
      here
        .filter(({refusal}) => refusal)
        .map(({candidate, refusal}) => `${candidate}: ${refusal}.`),
    );
    const table = tableOf([[place, ...candidates], ...lines]);
    return [table, captionOf(here), ...why.map((line) => `${line}\n`)].join('\n');
  });
}

const fusedFirst = (a: Row, b: Row) =>
  Number(b.candidate === 'fused') - Number(a.candidate === 'fused');

function cellOf(row: Row | undefined): string {
  if (!row || row.minMs === '') return '–';
  return `${rounded(Number(row.minMs))} ms (${Math.round(Number(row.dispatches))})`;
}
