/**
 * What a thread of the pool runs, as text: no bundler has to find a file, and no server to serve
 * one. Node and browsers run the same.
 *
 * It is told a program, a module and the memory that all threads share, and then jobs: one call each.
 * The items of its phases are counted through, and an item waits for all of the phases before. Who
 * computes which is settled by `control`, 32-bit words of shared memory:
 *
 *     next item | items done | state of thread 1 | of thread 2 | ...
 */
import type {Phase, Program} from '../module';

export const NEXT = 0;
export const DONE = 1;
export const STATES = 2;

/** States of a thread in a call; 0 before it has begun. */
export const BUSY = 1;
export const WAITING = 2;
export const FALLEN = 3;
export const LEFT = 4;

export interface Job {
  /** Where the struct of the call lies. */
  call: number;
  /** Each phase, and how many items those before have. */
  phases: {phase: Phase; before: number}[];
  /** Of all phases. */
  items: number;
  /** Where this thread's scratch memory begins. */
  scratch: number;
  control: Int32Array;
  /** Where in `control` this thread notes its state. */
  state: number;
}

/** A message to a thread. A program replaces the one before; without a job, it is answered. */
export interface Message {
  program?: (Program & {memory: WebAssembly.Memory}) | null;
  job?: Job;
}

export const WORKER = `
const {process} = globalThis;
const port = process?.getBuiltinModule?.('node:worker_threads').parentPort ?? self;
let program = null;
let memory = null;

function load(told) {
  memory = told && told.memory;
  program = told && new WebAssembly.Instance(told.module, {env: told}).exports;
}

function compute({call, phases, items, scratch, control, state}) {
  program.begin(call);
  let at = 0;
  for (let next; (next = Atomics.add(control, ${NEXT}, 1)) < items; ) {
    while (at + 1 < phases.length && next >= phases[at + 1].before) at++;
    const {phase, before} = phases[at];
    wait(control, state, before);
    const item = next - before;
    program.compute(phase, item, scratch);
    Atomics.add(control, ${DONE}, 1);
    Atomics.notify(control, ${DONE});
  }
}

function wait(control, state, before) {
  let done = Atomics.load(control, ${DONE});
  if (done >= before) return;
  Atomics.store(control, state, ${WAITING});
  for (; done < before; done = Atomics.load(control, ${DONE})) Atomics.wait(control, ${DONE}, done);
  Atomics.store(control, state, ${BUSY});
}

port.onmessage = ({data}) => {
  const {job} = data;
  const note = (state) => job && Atomics.store(job.control, job.state, state);
  note(${BUSY});
  try {
    if ('program' in data) load(data.program);
    if (job) compute(job);
    else port.postMessage(null);
    note(${LEFT});
  } catch (error) {
    if (!job) throw error;
    note(${FALLEN});
    Atomics.notify(job.control, ${DONE});
  }
};
`;
