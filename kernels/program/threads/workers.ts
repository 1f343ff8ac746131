/** The threads that there are besides the main one. */
import {moduleFor} from '../module';
import {Thread, startThread} from './thread';

/** A thread, and the module and the memory that it was told last. */
export interface Helper {
  thread: Thread;
  module: WebAssembly.Module | null;
  memory: WebAssembly.Memory | null;
}

type Team = (changed?: readonly Helper[]) => readonly Helper[];

/**
 * The threads besides the main one, of all copies of this package that a process may hold: only
 * the kernels of the first copy run, and any may be asked to get ready. It is a function because
 * Jest empties the objects that it finds on the global one, also while threads live.
 */
export const team = ((globalThis as Record<symbol, unknown>)[
  Symbol.for('tfjs-local-attention.threads')
] ??= makeTeam()) as Team;

function makeTeam(): Team {
  let helpers: readonly Helper[] = [];
  return (changed = helpers) => (helpers = changed);
}

/** How many compute, the main thread included. */
export function threads(): number {
  return team().length + 1;
}

/** Starts and ends threads until so many compute; rejects with the reason why one did not start. */
export async function resize(count: number): Promise<void> {
  for (const helper of team().slice(count - 1)) dismiss(helper);
  const missing = Array.from({length: count - threads()});
  const begun = await Promise.allSettled(missing.map(startHelper));
  const refused = begun.find((one) => one.status === 'rejected');
  if (!refused) return;
  for (const one of begun) if (one.status === 'fulfilled') dismiss(one.value);
  throw refused.reason;
}

/** Ends a thread, whatever it does. */
export function dismiss(helper: Helper): void {
  team(team().filter((other) => other !== helper));
  helper.thread.end();
}

/** Makes all threads let go of a memory that is given back. */
export function forget(memory: WebAssembly.Memory): void {
  for (const helper of team().filter((one) => one.memory === memory)) {
    helper.module = helper.memory = null;
    helper.thread.post({program: null});
  }
}

/** Starts a thread and sees it run the module; from then on it does not keep a process alive. */
function startHelper(): Promise<Helper> {
  return new Promise((resolve, reject) => {
    const thread = startThread({
      answered() {
        if (team().includes(helper)) return;
        team([...team(), helper]);
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
