/** The page's end of a worker. */
import {Remote, releaseProxy, wrap} from 'comlink';

import type {Engine} from './worker';

export interface OpenEngine {
  engine: Remote<Engine>;
  /** Ends the worker and whatever it computes; its memory and its device are given back. */
  close(): void;
}

/** A new worker with a backend of its own. @throws if its program does not load: calls would wait for ever */
export async function openEngine(): Promise<OpenEngine> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {type: 'module'});
  const engine = wrap<Engine>(worker);
  const close = () => {
    engine[releaseProxy]();
    worker.terminate();
  };
  const failed = new Promise<never>((_, reject) => {
    const why = 'The part of this page that computes did not load: load the page again.';
    worker.addEventListener('error', () => reject(new Error(why)), {once: true});
  });
  try {
    await Promise.race([engine.isThere(), failed]);
    return {engine, close};
  } catch (error) {
    close();
    throw error;
  }
}
