/**
 * Options of a call or a layer: a table says all there is to know of each, and everything else, the
 * types, the defaults, the checks and the tables of the documents, is read from it.
 */
import {failType, refuse} from './errors';
import {unknownOption} from './unknown_option';

/** One option: what it is where it is absent, and what it may be. */
export interface Option<T> {
  /** What null and undefined stand for; the one because model.json cannot hold the other. */
  readonly otherwise: T;
  /** What a value must be, in short. */
  readonly rule: string;
  /** Throws unless `value` is such; returns it. */
  read(fn: string, name: string, value: unknown): T;
}

/** An option that there must be. */
export interface Required<T> extends Option<T> {
  readonly required: true;
}

/** The options of one function, by their names. */
export type Table = Readonly<Record<string, Option<unknown>>>;

type Value<O> = O extends Option<infer T> ? T : never;
type RequiredNames<T> = {[K in keyof T]: T[K] extends Required<unknown> ? K : never}[keyof T];

/** What a caller gives; null is as good as absent. */
export type Given<T> = {[K in keyof Pick<T, RequiredNames<T>>]: NonNullable<Value<T[K]>>} & {
  [K in keyof Omit<T, RequiredNames<T>>]?: Value<T[K & keyof T]> | null;
};

/** All of a table's options, checked, absent ones by their defaults. */
export type Chosen<T> = {readonly [K in keyof T]: Value<T[K]>};

/**
 * Reads the options of one call by their table. A name that is not in it is an error, so that a
 * misspelt option is not ignored for a whole training run.
 */
export function readOptions<T extends Table>(fn: string, table: T, given: unknown): Chosen<T> {
  const names = Object.keys(table);
  checkPlain(fn, given, names[0]);
  // copied, so that a getter is asked once and what was checked is what is used
  const values: Record<string, unknown> = Object.assign(Object.create(null), given);
  for (const name of Object.keys(values)) {
    if (!names.includes(name)) refuse(fn, unknownOption(name, names));
  }
  const chosen = names.map((name) => {
    const option = table[name];
    const value = values[name];
    if (value != null) return [name, option.read(fn, name, value)];
    if ('required' in option) failType(fn, `${name} is required`, value);
    return [name, option.otherwise];
  });
  return Object.fromEntries(chosen) as Chosen<T>;
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
