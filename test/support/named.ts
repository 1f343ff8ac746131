/** Backends by name, as in `BACKENDS=cpu,webgl`: those must be there, and only those run. */
export const NAMED = process.env.BACKENDS
  ? process.env.BACKENDS.split(',').map((name) => name.trim())
  : null;

/** Those that are nowhere but in a browser; of the others, all but tensorflow run there too. */
export const ONLY_IN_PAGES = ['webgl', 'wasm-threads'];

/** Whether this run is to cover the backend. */
export function isWanted(name: string): boolean {
  return NAMED === null || NAMED.includes(name);
}
