/**
 * How long each candidate takes on a GPU, or in a process of its own. As in ../measure.ts they take
 * turns, A B C A B C. The core's speed here says little of there, so that every round counts; and what
 * disturbs only adds time, so that the least times are compared.
 */
import {callsFor, median} from '../measure';
import {GpuCandidate} from './candidate';
import {commands} from './commands';

export interface Timing {
  medianMs: number;
  minMs: number;
  enqueueMs: number | null;
  /** Of a call. */
  dispatches: number;
}

const SLOW_MS = 1000;
const VERY_SLOW_MS = 10_000;
const ENQUEUED = 30; // calls

function roundsFor(slowest: number): number {
  if (slowest > VERY_SLOW_MS) return 1;
  return slowest > SLOW_MS ? 3 : 9;
}

/**
 * A first round of one call each, after those that compiled shaders, tells how many follow.
 *
 * @param enqueue whether calls that are not awaited are timed too
 */
export async function takeTurns(
  candidates: readonly GpuCandidate[],
  enqueue: boolean,
  asked?: number,
): Promise<Timing[]> {
  const times: number[][] = [];
  for (const candidate of candidates) times.push([await candidate.time(1)]);
  const calls = times.map(([ms]) => callsFor(ms));
  const rounds = asked ?? roundsFor(Math.max(...times.flat()));
  const enqueued: number[][] = candidates.map(() => []);
  const dispatches: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [c, candidate] of candidates.entries()) {
      const before = commands.count;
      times[c].push(await candidate.time(calls[c]));
      dispatches[c] = (commands.count - before) / calls[c];
      if (enqueue && candidate.enqueue) enqueued[c].push(await candidate.enqueue(ENQUEUED));
    }
  }
  return candidates.map((_, c) => ({
    medianMs: median(times[c]),
    minMs: Math.min(...times[c]),
    enqueueMs: enqueued[c].length > 0 ? Math.min(...enqueued[c]) : null,
    dispatches: dispatches[c],
  }));
}
