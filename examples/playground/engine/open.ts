/** The page's end of a worker. */
import {Remote, releaseProxy, wrap} from 'comlink';

import type {Engine} from './worker';

export interface OpenEngine {
  engine: Remote<Engine>;
  /** Ends the worker and whatever it computes; its memory and its device are given back. */
  close(): void;
}

/** A new worker with a backend of its own. */
export function openEngine(): OpenEngine {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {type: 'module'});
  const engine = wrap<Engine>(worker);
  return {
    engine,
    close() {
      engine[releaseProxy]();
      worker.terminate();
    },
  };
}
