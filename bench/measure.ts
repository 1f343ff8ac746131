/**
 * How long each candidate takes, on a machine that others use too.
 *
 * All candidates take turns, A B C A B C, and a candidate is compared with the first one of the same
 * round. Between them the core's speed is measured; a round in which it was below nine tenths of
 * its best does not count, and another one is run, up to twice as many as were asked for.
 */
import {Candidate} from './candidate';
import {speedOfCore} from './calibration';

export interface Timing {
  medianMs: number;
  minMs: number;
  /** The median over the rounds of this candidate's time by the first one's; null for want of that. */
  ratio: number | null;
}

export interface Measurement {
  timings: Timing[];
  /** GFLOP/s that the core could do in the median round that counts. */
  limit: number;
  rounds: number;
  kept: number;
}

const LEAST_MS = 20; // of a sample: shorter calls are repeated
const MOST_CALLS = 5000;
const WARM_UP_MS = 400;
const SLOW_MS = 1000;
const VERY_SLOW_MS = 10_000;
const SLOWEST_KEPT = 0.9;

/** Rounds where none are asked for: 11, but 5 if a call takes seconds, and 3 if many. */
function roundsFor(estimates: readonly number[]): number {
  const slowest = Math.max(...estimates);
  if (slowest > VERY_SLOW_MS) return 3;
  return slowest > SLOW_MS ? 5 : 11;
}

/** @param estimates ms of a first call, which warmed nothing up */
export async function measure(
  candidates: readonly Candidate[],
  estimates: readonly number[],
  rounds = roundsFor(estimates),
): Promise<Measurement> {
  const calls: number[] = [];
  for (const [c, candidate] of candidates.entries()) {
    calls.push(await warmUp(candidate, estimates[c]));
  }

  const taken: {times: number[]; speed: number}[] = [];
  let kept = taken;
  while (kept.length < rounds && taken.length < 2 * rounds) {
    taken.push(await round(candidates, calls));
    const best = Math.max(...taken.map(({speed}) => speed));
    kept = taken.filter(({speed}) => speed >= SLOWEST_KEPT * best);
  }

  const timings = candidates.map((_, c) => {
    const times = kept.map((round) => round.times[c]);
    const ratios = kept.map((round) => round.times[c] / round.times[0]);
    return {medianMs: median(times), minMs: Math.min(...times), ratio: median(ratios)};
  });
  const limit = median(kept.map(({speed}) => speed));
  return {timings, limit, rounds: taken.length, kept: kept.length};
}

/** Until the engine has compiled it well; returns how many calls make a sample. */
async function warmUp(candidate: Candidate, estimate: number): Promise<number> {
  if (estimate > SLOW_MS) return 1;
  let ms = estimate;
  for (let spent = 0; spent < WARM_UP_MS;) {
    const calls = callsFor(ms);
    ms = await candidate.time(calls);
    spent += calls * ms;
  }
  return callsFor(ms);
}

export function callsFor(ms: number): number {
  return Math.min(MOST_CALLS, Math.max(1, Math.ceil(LEAST_MS / ms)));
}

async function round(candidates: readonly Candidate[], calls: readonly number[]) {
  const times: number[] = [];
  const speeds = [speedOfCore()];
  for (const [c, candidate] of candidates.entries()) {
    times.push(await candidate.time(calls[c]));
    speeds.push(speedOfCore());
  }
  return {times, speed: median(speeds)};
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
