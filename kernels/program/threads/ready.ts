/** How many threads compute: the user's word on it. */
import {refuse} from '../../../src/check/errors';
import {count} from '../../../src/check/option_kinds';
import {Given, readOptions} from '../../../src/check/options';
import {release, reserveShared} from '../memory';
import {settleTile} from '../measure';
import {unsupportedEngine, unsupportedThreads} from '../module';
import {processors, unsupportedWorkers} from './thread';
import {resize, threads} from './workers';

/** Without a number by name; the attention of a model is not all that it computes. */
const MOST_UNASKED = 8;

const READY = {
  /** How many threads compute, the main one included. */
  threads: count(1),
};
/**
 * The options of {@link ready}. `null` counts as absent.
 *
 * @interface
 */
export type ReadyOptions = Given<typeof READY>;

let last: Promise<unknown> = Promise.resolve();

/**
 * Starts the threads that share the work of large calls on the backends `cpu`, `wasm` and
 * `tensorflow`, and resolves with how many then compute. Results are the same bits for any number
 * of threads. It also measures, once, which of two ways to multiply is the faster here, as else the
 * first large call does; it takes 15 to 50 ms.
 *
 * Call it once, and wait, before the first call; without it, one thread computes. A later call
 * changes the number, and `{threads: 1}` ends all threads but the main one. In a browser the page
 * must be cross-origin isolated, that is, served with the headers
 * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`.
 * Threads never keep a process alive. What they share is as large as the largest call on them, until
 * `ready` is called again.
 *
 * @param options `threads`: by default as many as there are processors, 8 at the most, and 1 where
 *   there can be no threads
 * @throws RangeError that says why, if `threads` is given and there cannot be so many; TypeError or
 *   RangeError for options that are none. All as rejections.
 */
export async function ready(options: ReadyOptions = {}): Promise<number> {
  const {threads: wanted} = readOptions('ready', READY, options);
  // one after the other: each finds the threads that the one before has left
  const ours = last.then(() => (wanted === null ? startSensibly() : start(wanted)));
  last = ours.catch(() => {});
  return ours;
}

async function start(wanted: number): Promise<number> {
  const cannot = (reason: string) => refuse('ready', `threads: ${wanted} cannot be had: ${reason}`);
  const reason = wanted === 1 ? null : (unsupportedThreads() ?? unsupportedWorkers());
  if (reason) cannot(reason);
  if (unsupportedEngine() === null) settleTile();
  // a new one, since it grows with the calls, and threads keep it
  const memory = wanted === 1 ? null : reserveShared();
  if (wanted === 1) release();
  else if (!memory) cannot('the engine reserves no memory that threads share');
  try {
    await resize(wanted, memory);
  } catch (error) {
    cannot(`a worker did not start (${error})`);
  }
  return threads();
}

async function startSensibly(): Promise<number> {
  try {
    return await start(Math.min(MOST_UNASKED, processors()));
  } catch {
    return start(1);
  }
}
