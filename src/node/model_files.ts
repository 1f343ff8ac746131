/**
 * A model on disk is two files, and no file system renames two files at once. So `replace` writes
 * the new pair whole into a folder of its own, then moves it in, one rename at a time:
 *
 *   models/a/.tfjs-saving/   being written: never read
 *   models/a/.tfjs-saved/    the same folder renamed: the new pair is whole
 *   models/a/                out: model.json, then weights.bin; in: weights.bin, then model.json
 *
 * After every step a model.json in models/a stands beside its own weights, for every reader. Where
 * a crash left none there, a load takes the one in .tfjs-saved, and the next save moves it in.
 */
import fs from 'node:fs';
import path from 'node:path';
import {writePieces} from './pieces';

export const MODEL = 'model.json';
export const WEIGHTS = 'weights.bin';
const SAVING = '.tfjs-saving';
const SAVED = '.tfjs-saved';
const LOOKS = 50;

/** Puts both files into the directory, or throws and leaves it as it was. */
export function replace(directory: string, model: string, weights: ArrayBuffer): void {
  const [saving, saved] = [path.join(directory, SAVING), path.join(directory, SAVED)];
  let made: string | undefined; // the outermost directory that was not there before
  const undo: Array<() => void> = [];
  const move = (from: string, to: string) => {
    fs.renameSync(from, to);
    undo.unshift(() => fs.renameSync(to, from));
    for (const moved of [from, to]) syncDirectory(path.dirname(moved));
  };
  try {
    made = fs.mkdirSync(directory, {recursive: true});
    finishCrashed(directory);
    fs.mkdirSync(saving);
    write(path.join(saving, WEIGHTS), weights);
    write(path.join(saving, MODEL), model);
    syncDirectory(saving);
    move(saving, saved);
    for (const name of [MODEL, WEIGHTS]) {
      const old = path.join(directory, name);
      if (fs.existsSync(old)) move(old, path.join(saved, `old-${name}`));
    }
    for (const name of [WEIGHTS, MODEL]) move(path.join(saved, name), path.join(directory, name));
  } catch (cause) {
    const undone = attempt(() => undo.forEach((step) => step()));
    if (undone) attempt(() => remove(saving));
    attempt(() => removeEmpty(directory, made));
    const outcome = undone ? 'nothing there has changed' : 'the next save will put it in order';
    const why = (cause as Error).message;
    throw new Error(`[fileSystem] could not save to ${directory} (${why}); ${outcome}.`, {cause});
  }
  // the old files, which nobody reads: should they stay, the next save removes them
  attempt(() => remove(saved));
}

/**
 * Where to look for a model.json, in this order: in the directory or, amid a save and after a
 * crash, in .tfjs-saved. Many times over, because a save may move it from the second place to the
 * first between two looks, and the next save back: it is absent only if no look finds it.
 */
export function places(directory: string, name: string): string[] {
  const both = [directory, path.join(directory, SAVED)].map((place) => path.join(place, name));
  return Array.from({length: LOOKS}, () => both).flat();
}

/** Moves the new pair in where a crash left no model.json; removes whatever else it left. */
function finishCrashed(directory: string): void {
  const [saving, saved] = [path.join(directory, SAVING), path.join(directory, SAVED)];
  if (!fs.existsSync(path.join(directory, MODEL)) && fs.existsSync(path.join(saved, MODEL))) {
    for (const name of [WEIGHTS, MODEL]) {
      const left = path.join(saved, name);
      if (fs.existsSync(left)) fs.renameSync(left, path.join(directory, name));
      syncDirectory(directory);
    }
  }
  remove(saved);
  remove(saving);
}

function write(file: string, content: string | ArrayBuffer): void {
  const descriptor = fs.openSync(file, 'wx');
  try {
    if (typeof content === 'string') fs.writeFileSync(descriptor, content);
    else writePieces(descriptor, content);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Keeps the renames in order through a power cut, on systems that can sync a directory. */
function syncDirectory(directory: string): void {
  attempt(() => {
    const descriptor = fs.openSync(directory, 'r');
    attempt(() => fs.fsyncSync(descriptor));
    fs.closeSync(descriptor);
  });
}

function remove(directory: string): void {
  fs.rmSync(directory, {recursive: true, force: true});
}

/** Removes a directory and its parents up to `outermost`; throws at one that holds anything. */
function removeEmpty(directory: string, outermost: string | undefined): void {
  for (let dir = directory; outermost && dir.length >= outermost.length; dir = path.dirname(dir)) {
    fs.rmdirSync(dir);
  }
}

/** Runs what may fail without harm; says whether it succeeded. */
function attempt(step: () => void): boolean {
  try {
    step();
    return true;
  } catch {
    return false;
  }
}
