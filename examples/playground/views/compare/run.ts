/** Measures one backend in a worker, until all is measured or the visitor stops. */
import {Bench, NotStarted, openBench} from './bench';
import type {Candidate} from './machine';
import {Lines, add, fail, nextOf, tokens} from './plan';

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
  candidate: Candidate,
  lines: Lines,
  {longest, gradient, signal}: Wanted,
  tell: (now: string) => void,
): Promise<string | null> {
  let bench: Bench | null = null;
  try {
    for (let next = nextOf(lines, longest); next; next = nextOf(lines, longest)) {
      const {by, n} = next;
      bench ??= await openBench(candidate, signal);
      tell(`${by === 'fused' ? 'fused' : 'composed'}, ${tokens(n)}`);
      try {
        add(lines[by], n, await bench.answerOf(bench.compare.measure({by, n, gradient})));
      } catch (error) {
        if (signal.aborted) throw error;
        fail(lines[by], n, (error as Error).message.split('\n')[0]);
        // out of memory or a lost device: the other line goes on in a new worker
        bench.close();
        bench = null;
      }
      tell('');
    }
    return null;
  } catch (error) {
    if (error instanceof NotStarted) return error.message;
    throw error;
  } finally {
    bench?.close();
  }
}
