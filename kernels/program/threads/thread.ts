/** Starting a thread: a worker of Node, or one of a browser. */
import {WORKER} from './worker';
import type {Message} from './worker';

export interface Thread {
  post(message: Message): void;
  /** Lets a process end although the thread lives; pages end theirs anyway. */
  unref(): void;
  /** Resolves when it is no more, as far as that can be known. */
  end(): Promise<unknown>;
}

/** What a thread tells: that it has answered, or that it is no more. */
export interface Listener {
  answered(): void;
  died(reason: string): void;
}

/** What we use of Node, asked for at run time so that no bundler looks for it. */
interface Node {
  getBuiltinModule?(name: 'node:worker_threads'): typeof import('node:worker_threads') | undefined;
  getBuiltinModule?(name: 'node:os'): typeof import('node:os') | undefined;
}

const node = (globalThis as {process?: Node}).process;

/** Why threads cannot be started here, or null. */
export function unsupportedWorkers(): string | null {
  const {crossOriginIsolated} = globalThis as {crossOriginIsolated?: boolean};
  if (crossOriginIsolated === false || typeof SharedArrayBuffer === 'undefined') {
    return (
      'this page is not cross-origin isolated, so that it has no shared memory; serve it with the ' +
      'headers Cross-Origin-Opener-Policy: same-origin and ' +
      'Cross-Origin-Embedder-Policy: require-corp'
    );
  }
  if (node?.getBuiltinModule?.('node:worker_threads') || typeof Worker !== 'undefined') return null;
  return 'there are no workers here, or none that can be found; Node has them from 20.16 and 22.3 on';
}

/** Processors that this process may use. */
export function processors(): number {
  const os = node?.getBuiltinModule?.('node:os');
  return os?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Starts a thread, or throws; what comes later is told to the listener. */
export function startThread(listener: Listener): Thread {
  const threads = node?.getBuiltinModule?.('node:worker_threads');
  return threads ? inNode(threads, listener) : inBrowser(listener);
}

function inNode({Worker}: typeof import('node:worker_threads'), listener: Listener): Thread {
  // without the loaders of the process, which need not know a thread such as this
  const worker = new Worker(WORKER, {eval: true, execArgv: []});
  worker.on('message', () => listener.answered());
  worker.on('error', ({message}) => listener.died(message));
  worker.on('exit', (code) => listener.died(`it ended with code ${code}`));
  return {
    post: (message) => worker.postMessage(message),
    unref: () => worker.unref(),
    end() {
      worker.ref(); // or a process that waits for nothing else would not wait for this
      return worker.terminate();
    },
  };
}

function inBrowser(listener: Listener): Thread {
  const url = URL.createObjectURL(new Blob([WORKER], {type: 'text/javascript'}));
  const worker = new Worker(url);
  worker.onmessage = () => {
    URL.revokeObjectURL(url);
    listener.answered();
  };
  worker.onerror = ({message}) => {
    URL.revokeObjectURL(url);
    listener.died(message || 'a Content-Security-Policy may have to allow worker-src blob:');
  };
  return {
    post: (message) => worker.postMessage(message),
    unref() {},
    end: async () => worker.terminate(),
  };
}
