/** `verify()` on each backend: whether attention is right on this machine, as a table. */
import type {Verification} from 'tfjs-local-attention';

import {openEngine} from '../../engine/open';
import type {Candidate} from './machine';
import {unlessStopped} from './stop';

const HEAD = ['Backend', 'Device', 'Computed by', 'Cases right', 'Largest error', 'Seconds'];

/** Adds a row to `place` as each backend answers; returns a sentence about all. */
export async function verifyAll(
  place: HTMLElement,
  chosen: readonly Candidate[],
  tell: (now: string) => void,
  signal: AbortSignal,
): Promise<string> {
  place.innerHTML = `<div class="table" tabindex="0" role="region" aria-label="Verified">
    <table><thead><tr>${HEAD.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead>
    <tbody></tbody></table></div>`;
  if (chosen.length === 0) return 'No backend is chosen.';
  let wrong = 0;
  for (const candidate of chosen) {
    tell(`Verifying ${candidate.title}…`);
    const cells = await verifyOne(candidate, signal);
    if (cells.wrong) wrong++;
    const row = place.querySelector('tbody')!.insertRow();
    row.innerHTML = `<th scope="row">${candidate.title}</th>`;
    for (const text of cells.texts) row.insertCell().textContent = text;
    if (cells.texts.length === 1) row.cells[1].colSpan = HEAD.length - 1;
  }
  if (wrong > 0) return `Not right on ${wrong} of ${chosen.length} backends.`;
  return 'Right: forward and gradients agree with what the PyTorch original answers in float64.';
}

async function verifyOne(
  candidate: Candidate,
  signal: AbortSignal,
): Promise<{texts: string[]; wrong: boolean}> {
  const opened = openEngine();
  const unless = unlessStopped(signal);
  try {
    const started = await unless(opened.engine.startBackend(candidate.backend, candidate.threads));
    if ('reason' in started) return {texts: [started.reason], wrong: true};
    const engine = await unless(opened.engine.compare());
    const found: Verification = await unless(engine.verify());
    const {device, implementation, passed, cases, maxError, failures, seconds} = found;
    const right = `${passed} of ${cases}`;
    const named = failures.map((failure) => failure.case).join('; ');
    const texts = [device, implementation, named ? `${right} (${named})` : right];
    return {
      texts: [...texts, maxError.toExponential(1), seconds.toFixed(1)],
      wrong: passed < cases,
    };
  } catch (error) {
    signal.throwIfAborted();
    return {texts: [(error as Error).message], wrong: true};
  } finally {
    opened.close();
  }
}
