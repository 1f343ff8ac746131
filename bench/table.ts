/** A table of Markdown: the first column to the left, numbers to the right. */
export function tableOf(table: readonly (readonly string[])[]): string {
  const widths = table[0].map((_, c) => Math.max(...table.map((cells) => cells[c].length)));
  const [header, ...body] = table.map((cells) =>
    cells.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))),
  );
  const rule = widths.map((width, c) =>
    c === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [header, rule, ...body].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

export function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
