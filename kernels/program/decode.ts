/** One new token of each sequence against the keys that are kept, by the program. */
import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';

import type {DecodeAttrs, DecodeInputs} from '../../src/attention/decode_fused';
import {Pointers, writeCall, writeStruct} from './call';
import {instantiate} from './module';
import {RING} from './module.generated';
import type {End, Enter, Place} from './run';

export function decodeKernel(enter: Enter): KernelFunc {
  return ({inputs, attrs, backend}) => {
    const told = attrs as unknown as DecodeAttrs;
    const given = Object.fromEntries(
      told.names.map((name, i) => [name, (inputs as unknown as TensorInfo[])[i]]),
    ) as unknown as DecodeInputs;
    const place = enter(backend, false);
    let end: End = 'failed';
    try {
      compute(place, given, told);
      const [out] = place.results();
      end = 'computed';
      return out;
    } finally {
      place.leave(end);
    }
  };
}

function compute(place: Place, given: DecodeInputs, told: DecodeAttrs): void {
  const {problem, seen, keyScales} = told;
  const {headDim, valueDim, context} = problem;
  // before anything else, and alone: the angles of a token do not come again
  const scales = keyScales ? place.angles(keyScales) + 2 * headDim * told.slot : 0;
  const at: Pointers = {
    q: place.address(given.q),
    k: place.address(given.k),
    v: place.address(given.v),
    bias: given.bias && place.address(given.bias),
    queryAngles: copied(place, told.queryAngles),
    keyAngles: copied(place, told.keyAngles),
    out: place.output(given.v.shape),
  };
  const keys = place.address(given.keys);
  const values = place.address(given.values);
  const exists = given.exists ? place.address(given.exists) : 0;
  const {capacity, newest, first} = told;
  const biasOffset = told.row * context + told.slot;
  const facts = {capacity, newest, first, seen, biasOffset, keys, values, exists, scales};
  const call = writeCall(problem, at, place);
  const ring = writeStruct(RING, facts, place);
  const program = instantiate(place.memory);
  const scratch = place.scratch(program.decodeScratch(seen, headDim));
  program.decode(call, ring, scratch);
  for (let head = 0; head < problem.batch * problem.heads; head++) {
    const row = head * capacity + newest;
    place.revise(given.keys, keys, 4 * headDim * row, 4 * headDim);
    place.revise(given.values, values, 4 * valueDim * row, 4 * valueDim);
  }
}

function copied(place: Place, angles: Float32Array | null): number {
  if (!angles) return 0;
  const at = place.scratch(angles.byteLength);
  new Float32Array(place.memory.buffer, at, angles.length).set(angles);
  return at;
}
