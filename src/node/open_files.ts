import fs from 'node:fs';

export interface OpenFile {
  readonly path: string;
  readonly descriptor: number;
  /** In bytes. */
  readonly size: number;
}

interface Look {
  places: readonly string[];
  descriptor?: number;
  identity?: string;
}

/**
 * The files of one model, opened while another process may save. A save moves files, one at a
 * time, and never writes into one that can be loaded. So a load opens all files first and then
 * asks whether they are `settled`. If so, they are of one save, and what they hold can be read at
 * leisure: an open file stays what it is, wherever it is moved to, even when it is removed.
 */
export class OpenFiles {
  private readonly looks: Look[] = [];

  /** Opens the first file there is, in the order of `places`; undefined if there is none. */
  open(places: readonly string[]): OpenFile | undefined {
    const look: Look = {places};
    this.looks.push(look);
    for (const path of places) {
      look.descriptor = openIfThere(path);
      if (look.descriptor === undefined) continue;
      const stat = fs.fstatSync(look.descriptor, {bigint: true});
      look.identity = identityOf(stat);
      if (!stat.isFile()) throw new Error(`${path} is not a file`);
      return {path, descriptor: look.descriptor, size: Number(stat.size)};
    }
    return undefined;
  }

  /** Whether opening all of them again would find the same files, and none where none was. */
  settled(): boolean {
    return this.looks.every(({places, identity}) => identity === identityAt(places));
  }

  close(): void {
    for (const {descriptor} of this.looks) if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

/** No other file has the same while this one is open; a move changes it too. */
function identityOf({dev, ino, ctimeNs}: fs.BigIntStats): string {
  return `${dev} ${ino} ${ctimeNs}`;
}

function identityAt(places: readonly string[]): string | undefined {
  for (const path of places) {
    try {
      const stat = fs.statSync(path, {bigint: true, throwIfNoEntry: false});
      if (stat) return identityOf(stat);
    } catch {
      // opening it fails as well, and says why
    }
  }
  return undefined;
}

function openIfThere(path: string): number | undefined {
  try {
    return fs.openSync(path, 'r');
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
