/** The kinds of options that tables are made of. */
import {fail, failType} from './errors';
import {Bounds, checkSeed, finiteNumber, wholeNumber} from './numbers';
import type {Option, Required} from './options';

/** An option without a default that must be given. */
export function required<T>(option: Option<T | null>): Required<T> {
  return {...option, required: true} as unknown as Required<T>;
}

export function flag(otherwise: boolean): Option<boolean> {
  return {
    otherwise,
    rule: '',
    read(fn, name, value) {
      if (typeof value !== 'boolean') failType(fn, `${name} must be true or false`, value);
      return value;
    },
  };
}

/** A whole number from `least` on. */
export function count(least: number, otherwise: number): Option<number>;
export function count(least: number, otherwise?: null): Option<number | null>;
export function count(least: number, otherwise: number | null = null): Option<number | null> {
  return {
    otherwise,
    rule: `whole, ≥ ${least}`,
    read: (fn, name, value) => wholeNumber(fn, name, value, least),
  };
}

/** A whole number of either sign, which an int32 tensor holds. */
export function integer(otherwise: number): Option<number> {
  return {
    otherwise,
    rule: 'whole',
    read(fn, name, value) {
      const rule = `${name} must be a whole number`;
      if (typeof value !== 'number') failType(fn, rule, value);
      if (!Number.isInteger(value)) fail(fn, rule, value);
      if (value !== (value | 0)) fail(fn, `${rule} of int32`, value);
      return value;
    },
  };
}

/** A finite number; `rule` says its bounds. */
export function number(rule: string, bounds: Bounds, otherwise: number): Option<number>;
export function number(rule: string, bounds: Bounds, otherwise?: null): Option<number | null>;
export function number(
  rule: string,
  bounds: Bounds,
  otherwise: number | null = null,
): Option<number | null> {
  return {otherwise, rule, read: (fn, name, value) => finiteNumber(fn, name, value, bounds)};
}

export function oneOf<T extends string>(allowed: readonly T[], otherwise: T): Option<T> {
  const names = allowed.map((name) => `'${name}'`).join(', ');
  return {
    otherwise,
    rule: allowed.map((name) => `\`'${name}'\``).join(', '),
    read(fn, name, value) {
      const rule = `${name} must be one of ${names}`;
      if (typeof value !== 'string') failType(fn, rule, value);
      if (!allowed.includes(value as T)) fail(fn, rule, value);
      return value as T;
    },
  };
}

/** Where random numbers begin. */
export function seed(): Option<number | null> {
  return {otherwise: null, rule: 'whole, < 2³²', read: (fn, _, value) => checkSeed(fn, value)};
}

/** What its reader judges, beside what else there is. */
export function anything<T>(rule = ''): Option<T | null> {
  return {otherwise: null, rule, read: (_fn, _name, value) => value as T};
}
