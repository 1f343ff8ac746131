/**
 * Identity on wasm: a clone, and each tensor that an op keeps for its gradient. TF.js copies the
 * values there; as on its other backends, and as its own Reshape does, the two can share them.
 */
import type {Replacement} from './replacement';
import type {WasmBackend} from './wasm_backend';

export const IDENTITY: Replacement = {
  kernel: 'Identity',
  backend: 'wasm',
  reason: 'it copies what every gradient keeps; two tensors can share their values',
  make: (theirs) => (call) => {
    const {x} = call.inputs;
    if (!x || x.dtype === 'string') return theirs(call);
    (call.backend as WasmBackend).incRef(x.dataId);
    return {dataId: x.dataId, shape: x.shape, dtype: x.dtype};
  },
};

/** Cast to the dtype that x has: the same. */
export const CAST: Replacement = {
  ...IDENTITY,
  kernel: 'Cast',
  reason: 'it copies what has the dtype already',
  make: (theirs) => {
    const share = IDENTITY.make(theirs);
    return (call) => (call.inputs.x?.dtype === call.attrs?.dtype ? share(call) : theirs(call));
  },
};
