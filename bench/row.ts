import type {Backend, Host} from './backend';
import type {What} from './workloads';

/** What --json prints, a candidate a row. */
export interface Row {
  workload: string;
  backend: Backend;
  host: Host;
  /** The processor, or what the driver of the GPU says that it is. */
  device: string;
  /** The version of Node or of the browser, and the flags of its WebAssembly. */
  runtime: string;
  what: What;
  threads: number;
  candidate: string;
  /** Of a call, awaited; null in a row that says why. */
  medianMs: number | null;
  minMs: number | null;
  /** This candidate's time over fused's; null where either did not run. */
  ratio: number | null;
  /** Until a call returns, its results not awaited: the mean of many. Of small calls on a GPU. */
  enqueueMs: number | null;
  /** Kernels of TF.js in a call, and dispatches or draws: on a GPU. */
  kernels: number | null;
  dispatches: number | null;
  /** Above inputs and results; null where unknown. */
  peakMiB: number | null;
  maxError: number | null;
  /** Why it did not run, or null. */
  refusal: string | null;
}

/** A row with what follows from it. */
export interface Measured extends Row {
  /** Useful ones per second; masked and padded work earns nothing. */
  gflops: number | null;
  /** Of what the threads could do, as measured beside it. */
  shareOfLimit: number | null;
}

/** The row of a candidate that did not run. */
export function refusedRow(
  about: Pick<
    Row,
    'workload' | 'backend' | 'host' | 'device' | 'runtime' | 'what' | 'threads' | 'candidate'
  >,
  refusal: string,
): Measured {
  return {
    ...about,
    medianMs: null,
    minMs: null,
    ratio: null,
    enqueueMs: null,
    kernels: null,
    dispatches: null,
    peakMiB: null,
    maxError: null,
    refusal,
    gflops: null,
    shareOfLimit: null,
  };
}
