/**
 * One call on all threads. They take its items, the main thread too, until none is left; which thread
 * computes which item changes no bit of the result.
 */
import {Exports, Phase, instantiate, programFor} from '../module';
import {WorkerThread, end, threads, workers} from './workers';
import {BUSY, DONE, FALLEN, Job, NEXT, STATES, WAITING} from './worker';

const PATIENCE = 1000; // ms that threads may take for an item at the least, ...
const SLOWEST = 100; // ... and how many times longer than the main thread
const NAP = 50; // ms between looks at threads that are waited for
const LOOKS = 1000; // between looks at the clock, where a thread may not sleep

/** One call, in memory that threads share. */
export interface Task {
  memory: WebAssembly.Memory;
  /** Where the struct of the call lies. */
  call: number;
  phases: readonly Phase[];
  /** Scratch memory, of so many bytes for each thread; the main one comes first. */
  scratch: number;
  bytes: number;
}

/**
 * Whether the task was computed. If not, a thread that failed may still write to all that the task
 * was told of: none of it may be used again.
 */
export function computeParallel({memory, call, phases, scratch, bytes}: Task): boolean {
  const program = instantiate(memory);
  const counts = phases.map((phase) => program.items(phase));
  const sum = (some: number[]) => some.reduce((all, count) => all + count, 0);
  const counted = phases.map((phase, at) => ({phase, before: sum(counts.slice(0, at))}));
  const helping = Math.max(...counts) > 1 ? [...workers()] : [];
  // for this call alone, so that a thread that comes late finds nothing to do
  const control = new Int32Array(new SharedArrayBuffer(4 * (STATES + helping.length)));
  const job = {call, phases: counted, items: sum(counts), scratch, control, state: STATES};
  try {
    helping.forEach((worker, at) => {
      assign(worker, memory, {...job, scratch: scratch + (at + 1) * bytes, state: STATES + at});
    });
    if (takeItems(program, job)) return true;
    const inState = (state: number) => helping.filter((_, at) => control[STATES + at] === state);
    // while one fell, others may be in the midst of their items; while one is, others may wait for it
    report([FALLEN, BUSY, WAITING].map(inState).find((some) => some.length > 0) ?? []);
    return false;
  } finally {
    release(job);
  }
}

/** Gives a thread its part, and the program where it has another one. */
function assign(worker: WorkerThread, memory: WebAssembly.Memory, job: Job): void {
  const program = {...programFor(true), memory};
  const {module, wide} = program;
  const same = worker.memory === memory && worker.module === module && worker.wide === wide;
  worker.thread.post(same ? {job} : {program, job});
  Object.assign(worker, program);
}

/** Computes items until none is left, and waits for those of others; false where that is in vain. */
function takeItems(program: Exports, {phases, items, scratch, control}: Job): boolean {
  let longest = 0;
  const areDone = (count: number) => waitFor(control, count, Math.max(PATIENCE, SLOWEST * longest));
  let at = 0;
  for (let next; (next = Atomics.add(control, NEXT, 1)) < items;) {
    while (at + 1 < phases.length && next >= phases[at + 1].before) at++;
    const {phase, before} = phases[at];
    if (!areDone(before)) return false;
    const begin = performance.now();
    program.compute(phase, next - before, scratch);
    Atomics.add(control, DONE, 1);
    Atomics.notify(control, DONE);
    longest = Math.max(longest, performance.now() - begin);
  }
  return areDone(items);
}

/**
 * Nobody is to take another item, nor to wait for what does not come: where the call has failed, one that waits
 * computes the item that it has, of whatever there is, and nobody reads what it writes.
 */
function release({control, items}: Job): void {
  Atomics.store(control, NEXT, items);
  Atomics.store(control, DONE, items);
  Atomics.notify(control, DONE);
}

/** Waits for so many items; false if a thread fell, or if none was done for `patience` ms. */
function waitFor(control: Int32Array, count: number, patience: number): boolean {
  let [last, since] = [-1, 0];
  for (;;) {
    const done = Atomics.load(control, DONE);
    if (done >= count) return true;
    if (control.includes(FALLEN, STATES)) return false;
    const now = performance.now();
    if (done !== last) [last, since] = [done, now];
    else if (now - since > patience) return false;
    pause(control, done);
  }
}

let maySleep: boolean | null = null;

/** Passes a little time, unless another item is done. */
function pause(control: Int32Array, done: number): void {
  maySleep ??= askMaySleep();
  if (maySleep) Atomics.wait(control, DONE, done, NAP);
  else for (let look = 0; look < LOOKS && Atomics.load(control, DONE) === done; look++);
}

/** The main thread of a page may not, and is told so by an error. */
function askMaySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
}

function report(lost: WorkerThread[]): void {
  lost.forEach(end);
  console.warn(
    `[localAttention] ${lost.length} of ${threads() + lost.length} threads stopped while they ` +
      `computed; the call is computed again by one thread, later calls by ${threads()}.`,
  );
}
