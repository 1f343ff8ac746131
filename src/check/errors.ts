/** An error is a sentence to the caller: which function, which rule, and what it got instead. */

/** Characters of a value: a message must stay one readable line. */
export const LONGEST_SHOWN = 80;

const DEEPEST_SHOWN = 2; // levels of nesting, which also ends the walk of a cyclic object

/** Throws a `RangeError` `[fn] rule, got value.`: the right kind of value, but a wrong one. */
export function fail(fn: string, rule: string, got: unknown): never {
  throw new RangeError(`[${fn}] ${rule}, got ${show(got)}.`);
}

/** Throws a `TypeError` `[fn] rule, got value.`: the wrong kind of value. */
export function failType(fn: string, rule: string, got: unknown): never {
  throw new TypeError(`[${fn}] ${rule}, got ${show(got)}.`);
}

/** Throws a `RangeError` `[fn] sentence.`, for a rule with no single value to show. */
export function refuse(fn: string, sentence: string): never {
  throw new RangeError(`[${fn}] ${sentence}.`);
}

/**
 * Renders a value for a message, in at most 80 characters: `'abc'`, `NaN`, `[1, 2]`, `{a: 1}`,
 * `a float32 tensor of shape [2, 3]`.
 */
export function show(value: unknown): string {
  const text = render(value, 0);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN - 1)}…` : text;
}

function render(value: unknown, depth: number): string {
  if (typeof value === 'string') return `'${value.slice(0, LONGEST_SHOWN)}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return `the function ${value.name || '(anonymous)'}`;
  if (typeof value !== 'object' || value === null) return String(value);

  const {dtype, shape} = value as {dtype?: unknown; shape?: unknown};
  if (typeof dtype === 'string' && Array.isArray(shape)) {
    return `${/^[aeio]/.test(dtype) ? 'an' : 'a'} ${dtype} tensor of shape ${render(shape, 0)}`;
  }
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) {
    if (depth === DEEPEST_SHOWN) return '[…]';
    // no more elements than could be shown: the array may be a million long
    const shown = Array.prototype.slice.call(value, 0, LONGEST_SHOWN);
    return `[${shown.map((item) => render(item, depth + 1)).join(', ')}]`;
  }
  const kind = value.constructor?.name ?? 'Object';
  if (kind !== 'Object') return `an instance of ${kind}`;
  if (depth === DEEPEST_SHOWN) return '{…}';
  const shown = Object.entries(value).slice(0, LONGEST_SHOWN);
  return `{${shown.map(([key, item]) => `${key}: ${render(item, depth + 1)}`).join(', ')}}`;
}
