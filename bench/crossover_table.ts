import {captionOf} from './caption';
import {distinct, tableOf} from './table';
import {WHATS} from './workloads';

type Row = Record<string, string>;

const TITLES: Record<string, string> = {
  'full, fused': 'full, the same kernels',
  'full, tfjs': 'full, ops of TF.js',
};

/** A row for each length: local attention's least milliseconds, and how many times as long full attention takes. */
export function crossover(rows: readonly Row[]): string[] {
  const lines = distinct(rows.map(({n}) => n)).map((n) => [
    n,
    ...WHATS.flatMap((what) => {
      const of = (name: string) =>
        rows.find((row) => row.n === n && row.what === what && row.candidate === name);
      const ratios = Object.keys(TITLES).map((name) => {
        const row = of(name);
        return row ? `${Number(Number(row.ratio).toPrecision(2))}×` : '–';
      });
      return [`${Number(Number(of('fused')!.minMs).toPrecision(3))} ms`, ...ratios];
    }),
  ]);
  const titles = WHATS.flatMap((what) =>
    ['local', ...Object.values(TITLES)].map((title) => `${what}: ${title}`),
  );
  return [tableOf([['tokens', ...titles], ...lines]), captionOf(rows)];
}
