/** `verify()` on each backend: whether attention is right on this machine, as a table. */
import type {Verification} from 'tfjs-local-attention';

import {NotStarted, openBench} from './bench';
import type {Candidate} from './machine';
import {Outcome, verdictOf} from './verdict';

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
  const outcomes: Outcome[] = [];
  for (const candidate of chosen) {
    tell(`Verifying ${candidate.title}…`);
    const {cells, outcome} = await verifyOne(candidate, signal);
    outcomes.push(outcome);
    const row = place.querySelector('tbody')!.insertRow();
    row.innerHTML = `<th scope="row">${candidate.title}</th>`;
    for (const text of cells) row.insertCell().textContent = text;
    if (cells.length === 1) row.cells[1].colSpan = HEAD.length - 1;
  }
  return verdictOf(outcomes);
}

async function verifyOne(
  candidate: Candidate,
  signal: AbortSignal,
): Promise<{cells: string[]; outcome: Outcome}> {
  try {
    const bench = await openBench(candidate, signal);
    try {
      return rowOf(await bench.answerOf(bench.compare.verify()));
    } finally {
      bench.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    const outcome = error instanceof NotStarted ? 'absent' : 'failed';
    return {cells: [(error as Error).message], outcome};
  }
}

function rowOf(found: Verification): {cells: string[]; outcome: Outcome} {
  const {device, implementation, passed, cases, maxError, failures, seconds} = found;
  const right = `${passed} of ${cases}`;
  const named = failures.map((failure) => failure.case).join('; ');
  const cells = [device, implementation, named ? `${right} (${named})` : right];
  return {
    cells: [...cells, maxError.toExponential(1), seconds.toFixed(1)],
    outcome: passed < cases ? 'wrong' : 'right',
  };
}
