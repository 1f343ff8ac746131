/** A worker that computes for one backend, until its device is lost or the visitor stops. */
import type {Remote} from 'comlink';

import type {compare} from '../../engine/compare';
import {openEngine} from '../../engine/open';
import type {Candidate} from './machine';

export interface Bench {
  compare: Remote<typeof compare>;
  /** An answer of `compare`: of a device that is lost, or a worker that has ended, none would come. */
  answerOf<T>(asked: Promise<T>): Promise<T>;
  close(): void;
}

/** The backend of a candidate does not start: the message is a sentence for the visitor. */
export class NotStarted extends Error {}

/** @throws NotStarted, or what `signal` says when the visitor stops */
export async function openBench(
  {backend, threads}: Candidate,
  signal: AbortSignal,
): Promise<Bench> {
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), {once: true});
  });
  const opening = openEngine();
  const {engine, close} = await Promise.race([opening, stopped]).catch((error) => {
    void opening.then(
      ({close}) => close(), // it comes too late
      () => null,
    );
    throw error;
  });
  try {
    const started = await Promise.race([engine.startBackend(backend, threads), stopped]);
    if ('reason' in started) throw new NotStarted(started.reason);
    const lost = engine.whenLost().then((reason) => Promise.reject<never>(new Error(reason)));
    const answerOf = <T>(asked: Promise<T>) => Promise.race([asked, stopped, lost]);
    return {compare: await answerOf(engine.compare()), answerOf, close};
  } catch (error) {
    close();
    throw error;
  }
}
