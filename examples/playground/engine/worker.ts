/** What computes, in a worker of its own: the one module that every view's worker begins with. */
import {expose, proxy} from 'comlink';

import {startBackend, whenLost} from './backend';

const engine = {
  isThere: () => true,
  startBackend,
  whenLost,
  attention: async () => proxy((await import('./attention')).attention),
  write: async () => proxy((await import('./write')).write),
  train: async () => proxy((await import('./train')).train),
  compare: async () => proxy((await import('./compare')).compare),
};

export type Engine = typeof engine;

expose(engine);
