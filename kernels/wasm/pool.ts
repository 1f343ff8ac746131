/** The threads that there are besides the main one. */
import {moduleFor} from './module';
import {Thread, startThread} from './thread';

/** A thread, and the module and the memory that it was told last. */
export interface Helper {
  thread: Thread;
  module: WebAssembly.Module | null;
  memory: WebAssembly.Memory | null;
}

let helpers: Helper[] = [];

export function team(): readonly Helper[] {
  return helpers;
}

/** How many compute, the main thread included. */
export function threads(): number {
  return helpers.length + 1;
}

/** Starts and ends threads until so many compute; rejects with the reason why one did not start. */
export async function resize(count: number): Promise<void> {
  for (const helper of helpers.slice(count - 1)) dismiss(helper);
  const missing = Array.from({length: count - threads()});
  const begun = await Promise.allSettled(missing.map(startHelper));
  const refused = begun.find((one) => one.status === 'rejected');
  if (!refused) return;
  for (const one of begun) if (one.status === 'fulfilled') dismiss(one.value);
  throw refused.reason;
}

/** Ends a thread, whatever it does. */
export function dismiss(helper: Helper): void {
  helpers = helpers.filter((other) => other !== helper);
  helper.thread.end();
}

/** Makes all threads let go of a memory that is given back. */
export function forget(memory: WebAssembly.Memory): void {
  for (const helper of helpers.filter((one) => one.memory === memory)) {
    helper.module = helper.memory = null;
    helper.thread.post({program: null});
  }
}

/** Starts a thread and sees it run the module; from then on it does not keep a process alive. */
function startHelper(): Promise<Helper> {
  return new Promise((resolve, reject) => {
    const thread = startThread({
      answered() {
        if (helpers.includes(helper)) return;
        helpers = [...helpers, helper];
        thread.unref();
        resolve(helper);
      },
      died(reason) {
        dismiss(helper);
        reject(reason);
      },
    });
    const helper: Helper = {thread, module: null, memory: null};
    const memory = new WebAssembly.Memory({initial: 1, maximum: 1, shared: true});
    thread.post({program: {module: moduleFor(true), memory}});
  });
}
