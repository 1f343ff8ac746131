import {fail, failType, LONGEST_SHOWN, refuse, show} from './errors';

/** The largest count an option may name: whole numbers up to here are exact in float32 too. */
export const LARGEST_COUNT = 2 ** 24;

/** Elements of a tensor: a float32 takes 4 bytes, and no backend holds more than 4 GiB in one. */
export const LARGEST_TENSOR = 2 ** 30;

/** The largest number of float32. */
const LARGEST_FLOAT = (2 - 2 ** -23) * 2 ** 127;

/**
 * Reads the options of one call, a rule at a time. A name that is not among `known` is an error
 * when the reader is made, so that a misspelt option is not ignored for a whole training run.
 * `null` means absent, as `undefined` does: model.json cannot hold `undefined`.
 *
 * The options are copied, so that a getter is asked once and what was checked is what is used.
 */
export class OptionReader {
  private readonly options: Record<string, unknown>;

  constructor(
    private readonly fn: string,
    options: unknown,
    known: readonly string[],
  ) {
    checkPlain(fn, options, known[0]);
    this.options = Object.assign(Object.create(null), options);
    for (const name of Object.keys(this.options)) {
      if (!known.includes(name)) refuse(fn, unknownOption(name, known));
    }
  }

  has(name: string): boolean {
    return this.options[name] != null;
  }

  raw(name: string): unknown {
    return this.options[name];
  }

  required(name: string): void {
    if (!this.has(name)) failType(this.fn, `${name} is required`, this.options[name]);
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.options[name] ?? otherwise;
    if (typeof value !== 'boolean') failType(this.fn, `${name} must be true or false`, value);
    return value;
  }

  /** A whole number in [least, LARGEST_COUNT]. */
  count<T extends number | null>(name: string, least: number, otherwise: T): number | T {
    const value = this.options[name] ?? otherwise;
    return value === null ? (value as T) : wholeNumber(this.fn, name, value, least);
  }

  /** A finite number, greater than `above` and less than `below` where they are given. */
  number<T extends number | null>(
    name: string,
    otherwise: T,
    {above = -Infinity, below = Infinity, from = -Infinity} = {},
  ): number | T {
    const value = this.options[name] ?? otherwise;
    if (value === null) return value as T;
    const rule = `${name} must be a finite number${bounds(above, below, from)}`;
    if (typeof value !== 'number') failType(this.fn, rule, value);
    if (!Number.isFinite(value) || value <= above || value >= below || value < from) {
      fail(this.fn, rule, value);
    }
    if (Math.abs(value) > LARGEST_FLOAT) {
      fail(this.fn, `${name} must be within the range of float32`, value);
    }
    return value;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[], otherwise: T): T {
    const value = this.options[name] ?? otherwise;
    const rule = `${name} must be one of ${allowed.map((a) => `'${a}'`).join(', ')}`;
    if (typeof value !== 'string') failType(this.fn, rule, value);
    if (!allowed.includes(value as T)) fail(this.fn, rule, value);
    return value as T;
  }
}

/** Throws unless `value` is a whole number in [least, LARGEST_COUNT]; returns it. */
export function wholeNumber(fn: string, name: string, value: unknown, least: number): number {
  const rule = `${name} must be a whole number from ${least} to ${LARGEST_COUNT}`;
  if (typeof value !== 'number') failType(fn, rule, value);
  if (!Number.isInteger(value) || value < least || value > LARGEST_COUNT) fail(fn, rule, value);
  return value;
}

/** Throws unless `value` can seed a 32-bit generator; returns it. */
export function checkSeed(fn: string, value: unknown): number {
  const rule = 'seed must be a whole number from 0 to 4294967295';
  if (typeof value !== 'number') failType(fn, rule, value);
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) fail(fn, rule, value);
  return value;
}

/** Throws unless `options` can hold options; `example` is the name of one. */
export function checkPlain(fn: string, options: unknown, example: string): void {
  if (isPlain(options)) return;
  failType(fn, `options must be a plain object such as {${example}: …}`, options);
}

/** Not an array, a tensor or an instance, whose options would be missed or be none. */
function isPlain(options: unknown): options is Record<string, unknown> {
  if (typeof options !== 'object' || options === null) return false;
  const prototype: unknown = Object.getPrototypeOf(options);
  // by its prototype's prototype, since another realm has another Object.prototype
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function bounds(above: number, below: number, from: number): string {
  const rules = [];
  if (from > -Infinity) rules.push(`at least ${from}`);
  if (above > -Infinity) rules.push(`greater than ${above}`);
  if (below < Infinity) rules.push(`less than ${below}`);
  return rules.length ? `, ${rules.join(' and ')}` : '';
}

function unknownOption(given: string, known: readonly string[]): string {
  const name = given.slice(0, LONGEST_SHOWN); // all known are shorter, and comparing takes time
  const near = known
    .map((candidate) => ({candidate, edits: editDistance(plain(name), plain(candidate))}))
    .sort((a, b) => a.edits - b.edits)[0];
  const close = near.edits <= Math.max(2, name.length / 4);
  const meant = close ? near.candidate : known.find((candidate) => overlap(name, candidate));
  const remedy = meant ? `did you mean '${meant}'?` : `known are ${known.join(', ')}`;
  return `unknown option ${show(given)} (${remedy})`;
}

// window_size, WindowSize and windowsize are the same mistake
function plain(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

// window for windowSize, numHeads for heads
function overlap(name: string, candidate: string): boolean {
  const [short, long] = [plain(name), plain(candidate)].sort((a, b) => a.length - b.length);
  return short.length >= 4 && long.includes(short);
}

/** Levenshtein distance, one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({length: b.length + 1}, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, change));
    }
    row = next;
  }
  return row[b.length];
}
