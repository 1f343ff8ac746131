/**
 * Identity on wasm: a clone, and each tensor that an op keeps for its gradient. TF.js copies the
 * values there; as on its other backends, and as its own Reshape does, the two can share them.
 */
import type {TensorInfo} from '@tensorflow/tfjs';

import type {Replacement} from './replacement';

/** A tensor of the values that `x` has, in the same place. */
export function share(backend: unknown, x: TensorInfo, shape = x.shape): TensorInfo {
  (backend as {incRef(dataId: object): void}).incRef(x.dataId);
  return {dataId: x.dataId, shape, dtype: x.dtype};
}

export const IDENTITY: Replacement = {
  kernel: 'Identity',
  backend: 'wasm',
  reason: 'it copies what every gradient keeps; two tensors can share their values',
  make: (theirs) => (call) => {
    const {x} = call.inputs;
    return x && x.dtype !== 'string' ? share(call.backend, x) : theirs(call);
  },
};

/** Cast to the dtype that x has: the same. */
export const CAST: Replacement = {
  ...IDENTITY,
  kernel: 'Cast',
  reason: 'it copies what has the dtype already',
  make: (theirs) => {
    const same = IDENTITY.make(theirs);
    return (call) => (call.inputs.x?.dtype === call.attrs?.dtype ? same(call) : theirs(call));
  },
};
