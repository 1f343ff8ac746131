/** One call of a kernel: find the tensors, make room for the results, compute them. */
import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';

import {Facts, FusedGradInputs, FusedInputs, byName} from '../../src/attention/fused';
import {
  BACKWARD,
  Call,
  Exports,
  FORWARD,
  Phase,
  Pointers,
  callsOf,
  gradientCall,
  instantiate,
} from './module';
import {threads} from './threads/workers';
import {computeTogether, isShareable} from './threads/parallel';

/**
 * How a call ended. Where it was abandoned, threads may go on writing to all that was its own, so
 * none of that is given back.
 */
export type End = 'computed' | 'failed' | 'abandoned';

/** The memory of one call. */
export interface Place {
  memory: WebAssembly.Memory;
  /** Where the values of a tensor are. */
  address(tensor: TensorInfo): number;
  /** Room for a float32 result. */
  output(shape: number[]): number;
  /** Room that nobody else uses until the end of the call. */
  scratch(bytes: number): number;
  /** The results, in the order in which room was made for them. */
  results(): TensorInfo[];
  /** Gives back what is not a result, and the results too if the call failed. */
  leave(end: End): void;
}

/** Makes a place for a call on a backend, in memory that threads share where it is asked for. */
export type Enter = (backend: unknown, shared: boolean) => Place;

/** What is to be computed in a place; zeros are written first, to what is added to. */
interface Work {
  calls: Call[];
  zeros: Call[];
  phases: readonly Phase[];
}

/** A kernel function over the places that `enter` makes of a backend. */
export function forwardKernel(enter: Enter): KernelFunc {
  return ({inputs, attrs, backend}) => {
    const p = attrs as unknown as Facts;
    return compute(p, enter, backend, (place) => {
      const at = {
        ...addresses(place, byName(inputs, attrs)),
        out: place.output([p.b, p.n, p.dv]),
        logSumExp: place.output([p.b, p.n]),
      };
      return {calls: callsOf(p, at), zeros: [], phases: FORWARD};
    });
  };
}

export function backwardKernel(enter: Enter): KernelFunc {
  return ({inputs, attrs, backend}) => {
    const p = attrs as unknown as Facts;
    const {out, logSumExp, dout, ...rest} = inputs as unknown as FusedGradInputs;
    return compute(p, enter, backend, (place) => {
      const at = {
        ...addresses(place, rest),
        out: place.address(out),
        logSumExp: place.address(logSumExp),
      };
      const gradients = {
        dout: place.address(dout),
        dq: place.output([p.b, p.n, p.d]),
        dk: place.output([p.b, p.n, p.d]),
        dv: place.output([p.b, p.n, p.dv]),
        dbias: rest.bias ? place.output(rest.bias.shape) : 0,
      };
      const zeros: Call[] = [
        ['clear', [gradients.dk, 4 * p.b * p.n * p.d]],
        ['clear', [gradients.dv, 4 * p.b * p.n * p.dv]],
      ];
      if (rest.bias) zeros.push(['clear', [gradients.dbias, 4 * p.heads * p.w * p.context]]);
      return {calls: [...callsOf(p, at), gradientCall(gradients)], zeros, phases: BACKWARD};
    });
  };
}

/** The results of a call: of all threads where it is large, of this one alone where that fails. */
function compute(
  p: Facts,
  enter: Enter,
  backend: unknown,
  prepare: (place: Place) => Work,
): TensorInfo[] {
  const together = isShareable(p) ? inPlace(enter(backend, true), prepare, true) : null;
  return together ?? inPlace(enter(backend, false), prepare, false)!;
}

/** The results, or null where threads failed. */
function inPlace(
  place: Place,
  prepare: (place: Place) => Work,
  together: boolean,
): TensorInfo[] | null {
  let end: End = 'failed';
  try {
    const {calls, zeros, phases} = prepare(place);
    const {memory} = place;
    const module = instantiate(memory);
    for (const [name, args] of calls) module[name](...args);
    for (const [name, args] of zeros) module[name](...args);
    const bytes = Math.ceil(module.scratchBytes(phases[0]) / 64) * 64;
    const scratch = place.scratch(together ? threads() * bytes : bytes);
    if (together) {
      end = 'abandoned';
      if (!computeTogether({memory, calls, phases, scratch, bytes})) return null;
      end = 'failed';
    } else {
      computeAlone(module, phases, scratch);
    }
    const results = place.results();
    end = 'computed';
    return results;
  } finally {
    place.leave(end);
  }
}

function computeAlone(module: Exports, phases: readonly Phase[], scratch: number): void {
  for (const phase of phases) {
    const items = module.items(phase);
    for (let item = 0; item < items; item++) module.compute(phase, item, scratch);
  }
}

function addresses(place: Place, inputs: FusedInputs): Omit<Pointers, 'out' | 'logSumExp'> {
  const find = (tensor?: TensorInfo) => (tensor ? place.address(tensor) : 0);
  const {q, k, v, mask, bias, queryAngles, keyAngles} = inputs;
  return {
    q: find(q),
    k: find(k),
    v: find(v),
    mask: find(mask),
    maskRows: mask ? mask.shape[0] : 1,
    bias: find(bias),
    queryAngles: find(queryAngles),
    keyAngles: find(keyAngles),
  };
}
