/** Measures one backend in a worker, until all is measured or the visitor stops. */
import {OpenEngine, openEngine} from '../../engine/open';
import type {Candidate} from './machine';
import {Lines, add, fail, nextOf, tokens} from './plan';
import {unlessStopped} from './stop';

export interface Wanted {
  longest: number;
  gradient: boolean;
  signal: AbortSignal;
}

/**
 * Fills `lines` and calls `tell` with what is measured now, and again when it is. Returns why the
 * backend does not start, or null. Stopping ends the worker at once, within a call too.
 */
export async function measure(
  {backend, threads}: Candidate,
  lines: Lines,
  {longest, gradient, signal}: Wanted,
  tell: (now: string) => void,
): Promise<string | null> {
  let opened: OpenEngine | null = null;
  const unless = unlessStopped(signal);
  const begin = async () => {
    opened = openEngine();
    const started = await unless(opened.engine.startBackend(backend, threads));
    const engine = await unless(opened.engine.compare());
    return {engine, reason: 'reason' in started ? started.reason : null};
  };
  try {
    let {engine, reason} = await begin();
    for (let next = nextOf(lines, longest); next && !reason; next = nextOf(lines, longest)) {
      const {by, n} = next;
      tell(`${by === 'fused' ? 'fused' : 'composed'}, ${tokens(n)}`);
      try {
        add(lines[by], n, await unless(engine.measure({by, n, gradient})));
      } catch (error) {
        if (signal.aborted) throw error;
        fail(lines[by], n, (error as Error).message.split('\n')[0]);
        // out of memory or a lost device: the other line goes on in a new worker
        opened!.close();
        ({engine, reason} = await begin());
      }
      tell('');
    }
    return reason;
  } finally {
    (opened as OpenEngine | null)?.close();
  }
}
