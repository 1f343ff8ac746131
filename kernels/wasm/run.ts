/** One call of a kernel: find the tensors, make room for the results, walk over the heads. */
import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';

import {Facts, FusedGradInputs, FusedInputs, byName} from '../../src/fused';
import {Exports, Pointers, backwardHeads, configure, forwardHeads} from './module';

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
    return inPlace(enter(backend), p, (place) => {
      const {mask, ...at} = addresses(place, byName(inputs, attrs));
      const out = place.output([p.b, p.n, p.dv]);
      const logSumExp = place.output([p.b, p.n]);
      const scratch = place.scratch(place.module.forwardScratch());
      const pointers = {...at, mask: mask.pointer, out, logSumExp};
      forwardHeads(place.module, p, mask.rows, pointers, scratch);
    });
  };
}

export function backwardKernel(enter: (backend: unknown) => Place): KernelFunc {
  return ({inputs, attrs, backend}) => {
    const p = attrs as unknown as Facts;
    const {out, logSumExp, dout, ...rest} = inputs as unknown as FusedGradInputs;
    return inPlace(enter(backend), p, (place) => {
      const {mask, ...at} = addresses(place, rest);
      const pointers = {
        ...at,
        mask: mask.pointer,
        out: place.address(out),
        logSumExp: place.address(logSumExp),
        dout: place.address(dout),
        dq: place.output([p.b, p.n, p.d]),
        dk: place.output([p.b, p.n, p.d]),
        dv: place.output([p.b, p.n, p.dv]),
        dbias: rest.bias ? place.output(rest.bias.shape) : 0,
      };
      const scratch = place.scratch(place.module.backwardScratch());
      backwardHeads(place.module, p, mask.rows, pointers, scratch);
    });
  };
}

function inPlace(place: Place, p: Facts, compute: (place: Place) => void): TensorInfo[] {
  let failed = true;
  try {
    configure(place.module, p);
    compute(place);
    const results = place.results();
    failed = false;
    return results;
  } finally {
    place.leave(failed);
  }
}

type InputPointers = Omit<Pointers, 'out' | 'logSumExp' | 'mask'> & {
  mask: {pointer: number; rows: number};
};

function addresses(place: Place, inputs: FusedInputs): InputPointers {
  const find = (tensor?: TensorInfo) => (tensor ? place.address(tensor) : 0);
  const {q, k, v, mask, bias, queryAngles, keyAngles} = inputs;
  return {
    q: find(q),
    k: find(k),
    v: find(v),
    bias: find(bias),
    queryAngles: find(queryAngles),
    keyAngles: find(keyAngles),
    mask: {pointer: find(mask), rows: mask ? mask.shape[0] : 1},
  };
}
