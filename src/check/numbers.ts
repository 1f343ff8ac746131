import {fail, failType} from './errors';

/** The largest count an option may name: whole numbers up to here are exact in float32 too. */
export const LARGEST_COUNT = 2 ** 24;

/** Elements of a tensor: a float32 takes 4 bytes, and no backend holds more than 4 GiB in one. */
export const LARGEST_TENSOR = 2 ** 30;

/** The largest number of float32. */
const LARGEST_FLOAT = (2 - 2 ** -23) * 2 ** 127;

/** Throws unless `value` is a whole number in [least, LARGEST_COUNT]; returns it. */
export function wholeNumber(fn: string, name: string, value: unknown, least: number): number {
  const rule = `${name} must be a whole number from ${least} to ${LARGEST_COUNT}`;
  if (typeof value !== 'number') failType(fn, rule, value);
  if (!Number.isInteger(value) || value < least || value > LARGEST_COUNT) fail(fn, rule, value);
  return value;
}

export interface Bounds {
  above?: number;
  below?: number;
  from?: number;
  to?: number;
}

/** Throws unless `value` is a number of float32 within the bounds; returns it. */
export function finiteNumber(fn: string, name: string, value: unknown, bounds: Bounds): number {
  const {above = -Infinity, below = Infinity, from = -Infinity, to = Infinity} = bounds;
  const rule = `${name} must be a finite number${inWords(bounds)}`;
  if (typeof value !== 'number') failType(fn, rule, value);
  const isWithin = value > above && value < below && value >= from && value <= to;
  if (!Number.isFinite(value) || !isWithin) fail(fn, rule, value);
  if (Math.abs(value) > LARGEST_FLOAT) {
    fail(fn, `${name} must be within the range of float32`, value);
  }
  return value;
}

/** Throws unless `value` can seed a 32-bit generator; returns it. */
export function checkSeed(fn: string, value: unknown): number {
  const rule = 'seed must be a whole number from 0 to 4294967295';
  if (typeof value !== 'number') failType(fn, rule, value);
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) fail(fn, rule, value);
  return value;
}

function inWords({above, below, from, to}: Bounds): string {
  const rules = [];
  if (from !== undefined) rules.push(`at least ${from}`);
  if (above !== undefined) rules.push(`greater than ${above}`);
  if (below !== undefined) rules.push(`less than ${below}`);
  if (to !== undefined) rules.push(`at most ${to}`);
  return rules.length ? `, ${rules.join(' and ')}` : '';
}
