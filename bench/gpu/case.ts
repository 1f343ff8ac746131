/** One workload on the current backend of a GPU, in a page or a process of its own. */
import type {GpuBackend, Host} from '../backend';
import {Candidate, Skipped} from '../candidate';
import {Results, checkedError, expectedOf} from '../check';
import {Measured, refusedRow} from '../row';
import {runtime} from '../runtime';
import {Inputs, What, Workload, inputsOf, usefulFlops} from '../workloads';
import {attentions} from './attention';
import {GpuCandidate} from './candidate';
import {countCommands} from './commands';
import {deviceOf} from './device';
import {setBackend} from './set_backend';
import {takeTurns} from './turns';

export interface GpuCase {
  workload: Workload;
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

const ENQUEUED = 'W3'; // which the GPU computes in no time

/** @throws if a candidate is wrong, or fails */
export async function runGpuCase(
  c: GpuCase,
  peers: Peers,
  say: (text: string) => void,
): Promise<Measured[]> {
  const {workload, backend, host, what} = c;
  countCommands();
  await setBackend(backend);
  const inputs = inputsOf(workload);
  const expected = expectedOf(workload, inputs, what);
  const check = (candidate: string, results: Results) =>
    checkedError(candidate, expected, workload, results);
  const makers: Record<string, Maker> = {
    ...(await attentions(workload, inputs, what)),
    ...(c.peers ? peers(workload, inputs, c) : {}),
  };
  const device = deviceOf();
  const about = {
    ...{workload: workload.name, backend, host, device, runtime: runtime()},
    ...{what, threads: 1},
  };

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
  const timings = await takeTurns(candidates, workload.name === ENQUEUED, c.rounds ?? undefined);
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
      gflops: usefulFlops(workload, what) / timings[i].minMs / 1e6,
      shareOfLimit: null,
    });
    candidate.close();
  }
  return [...rows, ...refused];
}
