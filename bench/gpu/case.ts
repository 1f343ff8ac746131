/** One workload on the current backend of a GPU, in a page or a process of its own. */
import * as tf from '@tensorflow/tfjs';

import type {GpuBackend, Host} from '../backend';
import {Candidate, Skipped} from '../candidate';
import {Results, checkedError, expectedOf} from '../check';
import {Measured, refusedRow} from '../row';
import {Inputs, STEP, What, Workload, inputsOf, usefulFlops} from '../workloads';
import {attentions} from './attention';
import {GpuCandidate} from './candidate';
import {countCommands} from './commands';
import {deviceOf} from './device';
import {expectedLosses, lossError, stepMakers} from './step';
import {takeTurns} from './turns';

export interface GpuCase {
  /** Or a step of training. */
  workload: Workload | typeof STEP;
  backend: GpuBackend;
  host: Host;
  what: What;
  peers: boolean;
  /** null for as many as the speed suggests. */
  rounds: number | null;
}

/** Other libraries, by name, for a page. */
export type Peers = (workload: Workload, inputs: Inputs, c: GpuCase) => Record<string, Maker>;

type Maker = () => Promise<Candidate & Partial<GpuCandidate>>;

/** What takes part, and when it is right. */
interface Contest {
  makers: Record<string, Maker>;
  check(candidate: string, results: Results): number;
  flops: number | null;
}

const ENQUEUED = 'W3'; // which the GPU computes in no time

/** @throws if a candidate is wrong, or fails */
export async function runGpuCase(
  c: GpuCase,
  peers: Peers,
  say: (text: string) => void,
): Promise<Measured[]> {
  tf.enableProdMode(); // no advice
  countCommands();
  const {makers, check, flops} =
    c.workload === STEP ? await stepContest(c) : await contest(c, peers);
  const workload = c.workload === STEP ? STEP : c.workload.name;
  const {backend, host, what} = c;
  const about = {workload, backend, host, device: deviceOf(), what, threads: 1};

  const candidates: (Candidate & GpuCandidate)[] = [];
  const errors: number[] = [];
  const refused: Measured[] = [];
  for (const [name, make] of Object.entries(makers)) {
    try {
      const candidate = {kernels: null, ...(await make())};
      errors.push(check(name, await candidate.results()));
      candidates.push(candidate);
    } catch (error) {
      if (!(error instanceof Skipped)) throw error;
      say(`${name} is skipped: ${error.message}.`);
      refused.push(refusedRow({...about, candidate: name}, error.message));
    }
  }
  const timings = await takeTurns(candidates, workload === ENQUEUED, c.rounds ?? undefined);
  const rows: Measured[] = [];
  for (const [i, candidate] of candidates.entries()) {
    const error = check(candidate.name, await candidate.results());
    rows.push({
      ...about,
      candidate: candidate.name,
      ...timings[i],
      ratio: candidates[0].name === 'fused' ? timings[i].minMs / timings[0].minMs : null,
      kernels: candidate.kernels,
      peakMiB: candidate.peakMiB(),
      maxError: Math.max(error, errors[i]),
      refusal: null,
      gflops: flops && flops / timings[i].minMs / 1e6,
      shareOfLimit: null,
    });
    candidate.close();
  }
  return [...rows, ...refused];
}

async function contest(c: GpuCase, peers: Peers): Promise<Contest> {
  const workload = c.workload as Workload;
  await setBackend(c.backend);
  const inputs = inputsOf(workload);
  const expected = expectedOf(workload, inputs, c.what);
  return {
    makers: {
      ...(await attentions(workload, inputs, c.what)),
      ...(c.peers ? peers(workload, inputs, c) : {}),
    },
    check: (candidate, results) => checkedError(candidate, expected, workload, results),
    flops: usefulFlops(workload, c.what),
  };
}

async function stepContest({backend}: GpuCase): Promise<Contest> {
  await setBackend('cpu');
  const expected = await expectedLosses();
  await setBackend(backend);
  return {
    makers: stepMakers,
    check: (candidate, [losses]) => lossError(candidate, expected, losses),
    flops: null,
  };
}

/** @throws if it does not start */
async function setBackend(name: string): Promise<void> {
  if (!(await tf.setBackend(name))) {
    throw new Error(`backend '${name}' does not start: TF.js cannot initialise it here.`);
  }
}
