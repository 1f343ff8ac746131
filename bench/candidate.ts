import {Results} from './check';

/** One way to compute a workload. */
export interface Candidate {
  name: string;
  /** Computes `calls` times and waits for the results: ms of a call. */
  time(calls: number): Promise<number>;
  /** What the last call gave. */
  results(): Promise<Results>;
  /** MiB above inputs and results in the first call; null where unknown. */
  peakMiB(): number | null;
  close(): void;
}

/** A candidate that does not run here, and why. */
export class Skipped extends Error {}
