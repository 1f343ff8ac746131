/** The attention weights of n tokens, beside those of full attention. */
import type {Window} from './options';
import {contextOf} from './visible';

export interface Memory {
  /** n · C: what the composite holds of one head. */
  local: number;
  /** n² */
  full: number;
}

export function memoryOf(window: Window, n: number): Memory {
  const w = window.windowSize;
  const padded = Math.ceil(n / w) * w;
  return {local: padded * contextOf(window), full: n * n};
}

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];

/** Of float32 numbers: `3.1 MB`. */
export function bytesOf(numbers: number): string {
  return amountOf(numbers * 4);
}

/** `3.1 MB` of 3.1 · 10⁶ bytes. */
export function amountOf(bytes: number): string {
  const at = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** at).toPrecision(3))} ${UNITS[at]}`;
}

/** How they compare: `21 times as much`. */
export function comparison({local, full}: Memory): string {
  const times = full / local;
  if (times >= 1.05) return `full attention holds ${short(times)} times as many`;
  if (times > 0.95) return 'full attention holds as many';
  return `full attention holds fewer, since so few tokens fit into the context of one window`;
}

function short(times: number): string {
  return times < 10 ? times.toFixed(1) : Math.round(times).toLocaleString('en');
}
