/** With a header line; what is unknown is empty. */
export function csvOf(rows: readonly object[]): string {
  const fields = Object.keys(rows[0] ?? {});
  const lines = rows.map((row) =>
    fields.map((field) => quoted((row as Record<string, unknown>)[field] ?? '')).join(','),
  );
  return [fields.join(','), ...lines, ''].join('\n');
}

function quoted(value: unknown): string {
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The rows of what csvOf wrote, of strings. */
export function rowsOf(csv: string): Record<string, string>[] {
  const [fields, ...rows] = csv.trim().split('\n').map(valuesOf);
  return rows.map((values) => Object.fromEntries(fields.map((field, i) => [field, values[i]])));
}

function valuesOf(line: string): string[] {
  const cells = line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g);
  return [...cells].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain);
}
