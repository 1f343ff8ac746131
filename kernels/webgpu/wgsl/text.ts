/** Text made of text: registers have no index in WGSL, so loops over them are written out. */

/** The lines of `line` for 0 … count − 1. */
export function each(count: number, line: (i: number) => string): string {
  return Array.from({length: count}, (_, i) => line(i)).join('\n');
}

/** As {@link each}, between commas. */
export function list(count: number, item: (i: number) => string): string {
  return Array.from({length: count}, (_, i) => item(i)).join(', ');
}
