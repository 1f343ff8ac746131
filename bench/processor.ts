import os from 'node:os';

/** What the processor calls itself. */
export function processor(): string {
  return os.cpus()[0]?.model.trim() ?? 'unknown processor';
}
