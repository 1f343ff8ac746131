/**
 * One workload on one backend of a CPU, measured in a process of its own: what was loaded,
 * allocated and compiled for another case would change the numbers. Started by cases.ts.
 */
import type {Backend} from './backend';
import {Candidate, Skipped} from './candidate';
import {bestComposition, bestForm} from './candidates/best_composition';
import {InputTensors, tfjsCandidate, upload} from './candidates/tfjs';
import {PEERS} from './candidates/peers';
import {straightforward} from './candidates/straightforward';
import {checkedError, expectedOf} from './check';
import {measure} from './measure';
import {countMemories} from './memory';
import {processor} from './processor';
import {Measured, refusedRow} from './row';
import {runtime} from './runtime';
import {start} from './start';
import {Inputs, What, Workload, inputsOf, usefulFlops} from './workloads';

export interface Case {
  workload: Workload;
  backend: Backend;
  what: What;
  threads: number;
  peers: boolean;
  /** The names of the candidates; without it, all. */
  only?: readonly string[];
  /** How many count; null for as many as the speed suggests. */
  rounds: number | null;
}

/** From this process to the one that started it. */
export type Message = {say: string} | {rows: Measured[]} | {error: string};

const say = (text: string) => process.send!({say: text} satisfies Message);

async function runCase(c: Case): Promise<Measured[]> {
  countMemories();
  await start(c.backend, c.threads);
  if (c.threads > 1 && c.backend !== 'tensorflow') say('The compositions have one thread in Node.');
  const inputs = inputsOf(c.workload);
  const expected = expectedOf(c.workload, inputs, c.what);
  const candidates: Candidate[] = [];
  const estimates: number[] = [];
  const errors: number[] = [];
  const refused: Measured[] = [];
  const about = {
    workload: c.workload.name,
    backend: c.backend,
    host: 'node',
    device: processor(),
    runtime: runtime(),
    what: c.what,
    threads: c.threads,
  } as const;

  for (const [name, make] of Object.entries(makers(c, inputs))) {
    if (c.only && !c.only.includes(name)) continue;
    try {
      const begin = performance.now();
      const candidate = await make();
      errors.push(checkedError(name, expected, c.workload, await candidate.results()));
      estimates.push(performance.now() - begin);
      candidates.push(candidate);
    } catch (error) {
      if (!(error instanceof Skipped)) throw error;
      say(`${name} is skipped: ${error.message}.`);
      refused.push(refusedRow({...about, candidate: name}, error.message));
    }
  }
  if (candidates.length === 0) return refused;
  const {timings, limit, rounds, kept} = await measure(
    candidates,
    estimates,
    c.rounds ?? undefined,
  );
  if (kept < rounds) say(`${kept} of ${rounds} rounds count, the others were disturbed.`);

  const hasFused = candidates[0].name === 'fused';
  const rows: Measured[] = [];
  for (const [i, candidate] of candidates.entries()) {
    const error = checkedError(candidate.name, expected, c.workload, await candidate.results());
    const gflops = usefulFlops(c.workload, c.what) / timings[i].medianMs / 1e6;
    rows.push({
      ...about,
      candidate: candidate.name,
      ...timings[i],
      ratio: hasFused ? timings[i].ratio : null,
      enqueueMs: null,
      kernels: null,
      dispatches: null,
      peakMiB: candidate.peakMiB(),
      maxError: Math.max(error, errors[i]),
      refusal: null,
      gflops,
      shareOfLimit: gflops / limit / c.threads,
    });
    candidate.close();
  }
  return [...rows, ...refused];
}

type Makers = Record<string, () => Promise<Candidate>>;

function makers(c: Case, inputs: Inputs): Makers {
  const {workload, backend, what, threads} = c;
  const tensors = upload(inputs, workload, what);
  const form = bestForm(backend, what, workload);
  const own: Makers = {
    fused: () => fusedCandidate(c, tensors),
    async straightforward() {
      refuseTooLarge(c, 'straightforward');
      return tfjsCandidate('straightforward', straightforward(workload), tensors);
    },
    async 'best-composition'() {
      refuseTooLarge(c, form);
      return tfjsCandidate('best-composition', bestComposition(form, workload), tensors);
    },
  };
  if (!c.peers) return own;
  const peers = Object.entries(PEERS).map(([name, make]) => {
    return [name, () => make({name, workload, inputs, what, threads})] as const;
  });
  return {...own, ...Object.fromEntries(peers)};
}

const HEAP_MIB = 2048; // that TF.js's wasm backend can address

/** How often a composition holds its scores, in its peak; `perWindow` has few, but eight copies of q. */
const SCORES_HELD = {
  forward: {straightforward: 7, tuned: 5, perWindow: 0},
  training: {straightforward: 12, tuned: 12, perWindow: 12},
};

/** @throws Skipped instead of spoiling the heap, from which the backend does not recover */
function refuseTooLarge({workload, backend, what}: Case, form: keyof (typeof SCORES_HELD)[What]) {
  const {heads, n, d, w} = workload;
  const values = heads * n * (SCORES_HELD[what][form] * 2 * w + (8 + 4) * d);
  const mib = (4 * values) / 2 ** 20;
  if (backend !== 'wasm' || mib < HEAP_MIB) return;
  throw new Skipped(`it needs some ${mib.toFixed(0)} MiB, and the backend has ${HEAP_MIB}`);
}

/** @throws Skipped where there is no kernel, or none with as many threads */
async function fusedCandidate({workload, threads}: Case, tensors: InputTensors) {
  const {fused} = await import('./candidates/fused');
  if (threads > 1) {
    const door: object = await import('tfjs-local-attention');
    if (!('ready' in door))
      throw new Skipped('threads > 1 needs ready(), which this version lacks');
    await (door.ready as (options: {threads: number}) => Promise<unknown>)({threads});
  }
  try {
    return await tfjsCandidate('fused', fused(workload), tensors);
  } catch (error) {
    const refusal = (error as Error).message.match(/(no fused kernel [^;]*)/);
    throw refusal ? new Skipped(refusal[1]) : error;
  }
}

process.once('message', async (c: Case) => {
  let message: Message;
  try {
    message = {rows: await runCase(c)};
  } catch (error) {
    message = {error: (error as Error).message};
  }
  process.send!(message, () => process.exit()); // pools of threads would keep it alive
});
