/**
 * What a thread of the pool runs, as text: no bundler has to find a file, and no server to serve
 * one. Node and browsers run the same.
 *
 * It is told a program, a module and the memory that all threads share, and then jobs: one phase
 * of a call each. Who computes which item is settled by `control`, 32-bit words of shared memory:
 *
 *     next item | items done | state of thread 1 | of thread 2 | ...
 */
import type {Phase, Program} from '../module';

export const NEXT = 0;
export const DONE = 1;
export const STATES = 2;

/** States of a thread in a phase; 0 before it has begun. */
export const BUSY = 1;
export const FALLEN = 2;
export const LEFT = 3;

export interface Job {
  /** Where the struct of the call lies. */
  call: number;
  phase: Phase;
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

function compute({call, phase, items, scratch, control}) {
  program.begin(call);
  for (let item; (item = Atomics.add(control, ${NEXT}, 1)) < items; ) {
    program.compute(phase, item, scratch);
    Atomics.add(control, ${DONE}, 1);
    Atomics.notify(control, ${DONE});
  }
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
