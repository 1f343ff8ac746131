/** What a row was measured of: the versions of the packages, and the commit of this one. */
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const ROOT = path.join(__dirname, '..');

/** The last columns of every file of results. */
export interface Origin {
  /** The version of TensorFlow.js. */
  tfjs: string;
  /** That of this package. */
  version: string;
  /** Of what was measured; of a row older than this column, that by which it came into its file. */
  commit: string;
}

let known: Origin | undefined;

/** Asked of npm's files and of git once. A commit with a + has changes that are not committed; without git it is unknown. */
export function origin(): Origin {
  known ??= {
    tfjs: versionOf(path.join(ROOT, 'node_modules/@tensorflow/tfjs/package.json')),
    version: versionOf(path.join(ROOT, 'package.json')),
    commit: commit(),
  };
  return known;
}

function versionOf(file: string): string {
  return (JSON.parse(fs.readFileSync(file, 'utf8')) as {version: string}).version;
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, {cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']});
  try {
    // results are written while others are still measured
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', ':!bench/results');
    return git('rev-parse', '--short=8', 'HEAD').trim() + (changed === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}
