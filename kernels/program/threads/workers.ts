/** The threads that there are besides the main one. */
import {Program, programFor} from '../module';
import {Thread, startThread} from './thread';

/** A thread, and the program and the memory that it was told last. */
export interface WorkerThread extends Program {
  thread: Thread;
  memory: WebAssembly.Memory | null;
}

type Pool = (changed?: readonly WorkerThread[]) => readonly WorkerThread[];

/**
 * The threads besides the main one, of all copies of this package that a process may hold: only
 * the kernels of the first copy run, and any may be asked to get ready. It is a function because
 * Jest empties the objects that it finds on the global one, also while threads live.
 */
export const workers = ((globalThis as Record<symbol, unknown>)[
  Symbol.for('tfjs-local-attention.threads')
] ??= makePool()) as Pool;

function makePool(): Pool {
  let pool: readonly WorkerThread[] = [];
  return (changed = pool) => (pool = changed);
}

/** How many compute, the main thread included. */
export function threads(): number {
  return workers().length + 1;
}

/**
 * Starts and ends threads until so many compute, new ones with a memory that threads share; rejects
 * with the reason why one did not start.
 */
export async function resize(count: number, memory: WebAssembly.Memory | null): Promise<void> {
  await Promise.all(
    workers()
      .slice(count - 1)
      .map(end),
  ); // each holds memory until it is no more
  const missing = Array.from({length: count - threads()});
  const begun = await Promise.allSettled(missing.map(() => startWorker(memory!)));
  const failed = begun.find((one) => one.status === 'rejected');
  if (!failed) return;
  for (const one of begun) if (one.status === 'fulfilled') void end(one.value);
  throw failed.reason;
}

/** Ends a thread, whatever it does; from now on it is none. */
export function end(worker: WorkerThread): Promise<unknown> {
  workers(workers().filter((other) => other !== worker));
  return worker.thread.end();
}

/** Makes all threads let go of a memory that is given back. */
export function forget(memory: WebAssembly.Memory): void {
  for (const worker of workers().filter((one) => one.memory === memory)) {
    worker.thread.post({program: null});
    worker.memory = null;
  }
}

/** Starts a thread and sees it run the module; from then on it does not keep a process alive. */
function startWorker(memory: WebAssembly.Memory): Promise<WorkerThread> {
  return new Promise((resolve, reject) => {
    let begun = false;
    const thread = startThread({
      answered() {
        if (begun) return; // it was told to let go of a memory, and may have been ended since
        begun = true;
        workers([...workers(), worker]);
        thread.unref();
        resolve(worker);
      },
      died(reason) {
        void end(worker);
        reject(reason);
      },
    });
    const program = programFor(true);
    const worker: WorkerThread = {thread, ...program, memory};
    thread.post({program: {...program, memory}});
  });
}
