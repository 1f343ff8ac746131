/** In which order lengths are measured, and where each line of the chart ends. */
import {BUDGET_MS, By, Point} from '../../engine/compare_case';
import {amountOf} from '../window/memory';

export const LENGTHS = [256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536];

/** Bytes of tensors from which on a page may be ended by its browser. */
const MOST_BYTES = 1.2e9;

/** One line of the chart. */
export interface Line {
  points: Map<number, Point>;
  /** Why there is no longer text, in a sentence; null while there may be. */
  ended: string | null;
}

export type Lines = Record<By, Line>;

export function noLines(): Lines {
  return {fused: {points: new Map(), ended: null}, composite: {points: new Map(), ended: null}};
}

/** What to measure next, the shortest first and fused before composed; null at the end. */
export function nextOf(lines: Lines, longest: number): {by: By; n: number} | null {
  for (const n of LENGTHS.filter((length) => length <= longest)) {
    for (const by of ['fused', 'composite'] as const) {
      if (!lines[by].ended && !lines[by].points.has(n)) return {by, n};
    }
  }
  return null;
}

/** Takes in a point, and ends its line where twice the length would take too long or too much. */
export function add(line: Line, n: number, point: Point): void {
  line.points.set(n, point);
  if (point.ms > BUDGET_MS) line.ended = `stopped at ${tokens(n)}: a call takes more than 2 s`;
  else if (2 * point.bytes > MOST_BYTES) {
    line.ended = `stopped at ${tokens(n)}: twice the length would hold ${amountOf(2 * point.bytes)}`;
  }
}

export function fail(line: Line, n: number, reason: string): void {
  line.ended = `failed at ${tokens(n)}: ${reason}`;
}

/** The longest text that both have computed, or null. */
export function longestOfBoth({fused, composite}: Lines): number | null {
  const both = [...fused.points.keys()].filter((n) => composite.points.has(n));
  return both.length > 0 ? Math.max(...both) : null;
}

export function tokens(n: number): string {
  return `${n.toLocaleString('en')} tokens`;
}
