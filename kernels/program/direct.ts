/** One function of the program on whole tensors, by this thread alone. */
import type {TensorInfo} from '@tensorflow/tfjs';

import {Exports, instantiate, unsupportedEngine} from './module';
import type {End, Enter, Place} from './run';

/**
 * A float32 tensor that `compute` writes, told where the tensors lie and where the result does; or
 * null where the program does not run, or memory is short.
 */
export function direct(
  enter: Enter,
  backend: unknown,
  tensors: readonly (TensorInfo | undefined)[],
  shape: number[],
  compute: (program: Exports, at: number[], out: number, place: Place) => void,
): TensorInfo | null {
  const made = directAll(enter, backend, tensors, [shape], (program, at, [out], place) =>
    compute(program, at, out, place),
  );
  return made && made[0];
}

/** The same of as many results as there are shapes. */
export function directAll(
  enter: Enter,
  backend: unknown,
  tensors: readonly (TensorInfo | undefined)[],
  shapes: readonly number[][],
  compute: (program: Exports, at: number[], out: number[], place: Place) => void,
): TensorInfo[] | null {
  if (unsupportedEngine() !== null) return null;
  try {
    return computed(enter(backend, false), tensors, shapes, compute);
  } catch (error) {
    if (error instanceof RangeError) return null; // of memory: to begin with, or more of it
    throw error;
  }
}

function computed(
  place: Place,
  tensors: readonly (TensorInfo | undefined)[],
  shapes: readonly number[][],
  compute: (program: Exports, at: number[], out: number[], place: Place) => void,
): TensorInfo[] {
  let end: End = 'failed';
  try {
    const at = tensors.map((tensor) => (tensor ? place.address(tensor) : 0));
    const out = shapes.map((shape) => place.output(shape));
    compute(instantiate(place.memory), at, out, place);
    const results = place.results();
    end = 'computed';
    return results;
  } finally {
    place.leave(end);
  }
}
