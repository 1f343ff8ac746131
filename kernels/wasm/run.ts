/** One call of a kernel: find the tensors, make room for the results, compute them. */
import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';

import {Facts, FusedGradInputs, FusedInputs, byName} from '../../src/fused';
import {BACKWARD, Call, Exports, FORWARD, Phase, Pointers, callsOf, gradientCall} from './module';

/** The memory of one call, and the module in it. */
export interface Place {
  module: Exports;
  /** Where the values of a tensor are. */
  address(tensor: TensorInfo): number;
  /** Room for a float32 result. */
  output(shape: number[]): number;
  /** Room that nobody else uses until the end of the call. */
  scratch(bytes: number): number;
  /** The results, in the order in which room was made for them. */
  results(): TensorInfo[];
  /** Gives back what is not a result, and the results too if the call failed. */
  leave(failed: boolean): void;
}

/** A kernel function over the places that `enter` makes of a backend. */
export function forwardKernel(enter: (backend: unknown) => Place): KernelFunc {
  return ({inputs, attrs, backend}) => {
    const p = attrs as unknown as Facts;
    return inPlace(enter(backend), (place) => {
      const at = {
        ...addresses(place, byName(inputs, attrs)),
        out: place.output([p.b, p.n, p.dv]),
        logSumExp: place.output([p.b, p.n]),
      };
      compute(place, callsOf(p, at), FORWARD);
    });
  };
}

export function backwardKernel(enter: (backend: unknown) => Place): KernelFunc {
  return ({inputs, attrs, backend}) => {
    const p = attrs as unknown as Facts;
    const {out, logSumExp, dout, ...rest} = inputs as unknown as FusedGradInputs;
    return inPlace(enter(backend), (place) => {
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
      place.module.clear(gradients.dk, 4 * p.b * p.n * p.d);
      place.module.clear(gradients.dv, 4 * p.b * p.n * p.dv);
      if (rest.bias) place.module.clear(gradients.dbias, 4 * p.heads * p.w * p.context);
      compute(place, [...callsOf(p, at), gradientCall(gradients)], BACKWARD);
    });
  };
}

function compute({module, scratch}: Place, calls: Call[], phases: readonly Phase[]): void {
  for (const [name, args] of calls) module[name](...args);
  const room = scratch(module.scratchBytes(phases[0]));
  for (const phase of phases) {
    const items = module.items(phase);
    for (let item = 0; item < items; item++) module.compute(phase, item, room);
  }
}

function inPlace(place: Place, compute: (place: Place) => void): TensorInfo[] {
  let failed = true;
  try {
    compute(place);
    const results = place.results();
    failed = false;
    return results;
  } finally {
    place.leave(failed);
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
