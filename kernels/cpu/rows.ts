/**
 * Who sees whom, and rows of tensors on their way in and out: widening, rotation, normalisation.
 *
 * Queries are taken in groups that share one context: a window, or as many as have 64 tokens.
 * The keys and values that a group sees are packed once as float64. Phases of rotary are counted
 * from the group's origin, the first slot of its first window, which may lie before the sequence.
 */
import type {Facts} from '../../src/attention/fused';
import {roundUp4} from './tiles';

/** The tensors' values; angles are absent without rotary. */
export interface Values {
  q: Float32Array;
  k: Float32Array;
  v: Float32Array;
  mask?: Uint8Array;
  /** B of the mask. */
  maskRows: number;
  bias?: Float32Array;
  queryAngles?: Float32Array;
  keyAngles?: Float32Array;
}

/** Queries start … end − 1 of one head, which see keys from … to − 1. */
export interface Group {
  start: number;
  end: number;
  origin: number;
  from: number;
  to: number;
}

const SHORTEST = 64;

/** Queries that share one context. */
export function groupLength(p: Facts): number {
  return Math.ceil(SHORTEST / p.w) * p.w;
}

/** Most keys that a group sees, rounded up to 4. */
export function contextLength(p: Facts): number {
  return roundUp4(Math.min(p.n, groupLength(p) + (p.back + p.forward) * p.w));
}

export function groupsOf(p: Facts): Group[] {
  const length = groupLength(p);
  return Array.from({length: Math.ceil(p.n / length)}, (_, index) => {
    const start = index * length;
    const end = Math.min(start + length, p.n);
    const origin = Math.max(0, start - p.back * p.w);
    return {start, end, origin, from: firstKey(p, start), to: endKey(p, end - 1)};
  });
}

/** First key that query i sees. */
export function firstKey(p: Facts, i: number): number {
  const first = i - (p.exact ? 0 : i % p.w) - p.back * p.w;
  return Math.max(0, first);
}

/** One past the last key that query i sees. */
export function endKey(p: Facts, i: number): number {
  if (p.causal) return i + 1;
  const end = i + p.forward * p.w + (p.exact ? 1 : p.w - (i % p.w));
  return Math.min(p.n, end);
}

/** Keys of a group as queries meet them: normalised, rotated. [to − from][d rounded up to 4] */
export function packKeys(
  p: Facts,
  {k, keyAngles}: Values,
  head: number,
  g: Group,
  to: Float64Array,
) {
  const {n, d} = p;
  const wide = roundUp4(d);
  for (let j = g.from; j < g.to; j++) {
    const source = (head * n + j) * d;
    const factor = p.sharedQk ? 1 / norm(k, source, d) : 1;
    turn(k, source, to, (j - g.from) * wide, d, factor, keyAngles, (j - g.origin) * d);
  }
  clearToFour(g.to - g.from, wide, to);
}

/** Queries i … i + rows − 1 of a group, scaled and rotated. [rows][d rounded up to 4] */
export function packQueries(
  p: Facts,
  {q, queryAngles}: Values,
  head: number,
  {origin}: Group,
  i: number,
  rows: number,
  to: Float64Array,
) {
  const {n, d, scale} = p;
  const wide = roundUp4(d);
  const phase = i - origin;
  for (let r = 0; r < rows; r++) {
    turn(q, (head * n + i + r) * d, to, r * wide, d, scale, queryAngles, (phase + r) * d);
  }
  clearToFour(rows, wide, to);
}

/** Rows `first` … `first` + `rows` − 1 of a head of [b, n, dv]. [rows][dv rounded up to 4] */
export function packValues(
  {n, dv}: Facts,
  from: Float32Array,
  head: number,
  first: number,
  rows: number,
  to: Float64Array,
) {
  const wide = roundUp4(dv);
  const source = (head * n + first) * dv;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < dv; c++) to[r * wide + c] = from[source + r * dv + c];
  }
  clearToFour(rows, wide, to);
}

/** Zeros after the rows, up to a multiple of 4 of them: what was there before may be NaN. */
function clearToFour(rows: number, wide: number, to: Float64Array) {
  to.fill(0, rows * wide, roundUp4(rows) * wide);
}

/** to = factor · R from, by the row of a table of angles at `phase`; without one, R is 1. */
function turn(
  from: Float32Array,
  source: number,
  to: Float64Array,
  at: number,
  d: number,
  factor: number,
  angles: Float32Array | undefined,
  phase: number,
) {
  if (!angles) {
    for (let c = 0; c < d; c++) to[at + c] = factor * from[source + c];
    return;
  }
  const half = d >> 1;
  for (let c = 0; c < half; c++) {
    const x = factor * from[source + c];
    const y = factor * from[source + half + c];
    const cos = angles[phase + c];
    const sin = angles[phase + half + c];
    to[at + c] = x * cos - y * sin;
    to[at + half + c] = y * cos + x * sin;
  }
}

/** to += factor · Rᵀ from: the transpose of {@link turn}. */
export function turnBack(
  from: Float64Array,
  source: number,
  to: Float64Array,
  at: number,
  d: number,
  factor: number,
  angles: Float32Array | undefined,
  phase: number,
) {
  if (!angles) {
    for (let c = 0; c < d; c++) to[at + c] += factor * from[source + c];
    return;
  }
  const half = d >> 1;
  for (let c = 0; c < half; c++) {
    const x = factor * from[source + c];
    const y = factor * from[source + half + c];
    const cos = angles[phase + c];
    const sin = angles[phase + half + c];
    to[at + c] += x * cos + y * sin;
    to[at + half + c] += y * cos - x * sin;
  }
}

const LEAST_NORM = 1e-12;

/** max(‖x‖, 1e-12) of a row. */
export function norm(x: Float32Array, at: number, d: number): number {
  let square = 0;
  for (let c = 0; c < d; c++) square += x[at + c] * x[at + c];
  return Math.max(Math.sqrt(square), LEAST_NORM);
}

/** From the gradient of x / ‖x‖ to that of x, in place; x and the gradient are rows of [n, d]. */
export function normaliseBack(
  x: Float32Array,
  at: number,
  gradient: Float64Array,
  to: number,
  d: number,
) {
  const length = norm(x, at, d);
  let along = 0; // where the norm is below its least value, it is a constant factor
  if (length > LEAST_NORM) {
    for (let c = 0; c < d; c++) along += x[at + c] * gradient[to + c];
    along /= length * length;
  }
  for (let c = 0; c < d; c++) {
    gradient[to + c] = (gradient[to + c] - along * x[at + c]) / length;
  }
}

/** Whether the first `length` numbers are neither NaN nor infinite. */
export function finite(x: Float64Array, length: number): boolean {
  let nothing = 0;
  for (let at = 0; at < length; at++) nothing += x[at] - x[at];
  return nothing === 0;
}
