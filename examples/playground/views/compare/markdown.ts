/** The visitor's rows, to paste where Markdown is read. */
import {CASE} from '../../engine/compare_case';
import {amountOf} from '../window/memory';
import {Lines, longestOfBoth} from './plan';

export interface Measured {
  title: string;
  device: string;
  lines: Lines;
}

export interface Circumstances {
  browser: string;
  versions: string;
  /** ISO 8601, the day. */
  date: string;
  gradient: boolean;
}

const COLUMNS = ['backend', 'device', 'tokens', 'fused', 'composed', 'composed / fused'];
const MEMORY = ['fused holds', 'composed holds'];

/** A row for each backend, at the longest text that both have computed there. */
export function markdownOf(measured: readonly Measured[], where: Circumstances): string {
  const rows = measured.flatMap(({title, device, lines}) => {
    const n = longestOfBoth(lines);
    if (n === null) return [];
    const [fused, composite] = [lines.fused.points.get(n)!, lines.composite.points.get(n)!];
    const times = `${(composite.ms / fused.ms).toPrecision(3)}×`;
    return [[title, device, `${n}`, msOf(fused.ms), msOf(composite.ms), times, amountOf(fused.bytes), amountOf(composite.bytes)]]; // prettier-ignore
  });
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`;
  const head = [...COLUMNS, ...MEMORY];
  const rule = head.map((_, at) => (at < 2 ? '---' : '--:'));
  return [line(head), line(rule), ...rows.map(line), '', caption(where)].join('\n');
}

/** What is measured, in a sentence. */
export function configuration(gradient: boolean): string {
  const {heads, headDim, windowSize} = CASE;
  const what = gradient ? 'attention and its gradient' : 'attention';
  return `Causal ${what}, ${heads} heads of size ${headDim}, windowSize ${windowSize}, float32, one sequence`;
}

function caption({browser, versions, date, gradient}: Circumstances): string {
  return `${configuration(gradient)}; median milliseconds. ${browser}; ${versions}; ${date}.`;
}

export function msOf(ms: number): string {
  return `${ms >= 100 ? Math.round(ms) : Number(ms.toPrecision(3))} ms`;
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|');
}
