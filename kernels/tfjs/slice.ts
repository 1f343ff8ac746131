/**
 * Slice and SplitV on wasm and cpu, where TF.js reads the whole of x for each part, or finds the place of
 * each number anew; here parts alone are copied, a row at a time.
 */
import * as tf from '@tensorflow/tfjs';

import {direct} from '../program/direct';
import {MEMORIES, Memory} from './memories';
import type {Replacement} from './replacement';
import type {Values} from './wasm_backend';

/** Fewer numbers are copied one by one: a call for a block of memory takes as long as some of them. */
const LEAST_BLOCK = 16;

/** A part of x, which begins at `begin` and has the shape `size`. */
function part(
  memory: Memory,
  backend: unknown,
  x: tf.TensorInfo,
  begin: number[],
  size: number[],
): tf.TensorInfo {
  const cut = size.flatMap((length, axis) => (length === x.shape[axis] ? [] : [axis]));
  if (memory.backend === 'wasm' && cut.length === 1 && x.dtype === 'float32') {
    const made = rowsOfPart(memory, backend, x, cut[0], begin[cut[0]], size);
    if (made) return made;
  }
  const out = memory.make(backend, [...size], x.dtype);
  if (size.includes(0)) return out;
  const strides = [...tf.util.computeStrides(x.shape), 1].slice(-x.shape.length);
  /** From this axis on, what is copied lies together. */
  let together = size.length;
  while (together > 0 && size.slice(together).every((n, i) => n === x.shape[together + i])) together--; // prettier-ignore
  const [from, to] = [x, out].map((info) => memory.values(backend, info));
  copy(from, strides, begin, size, together, to);
  return out;
}

/** Where one axis alone is cut, and tensors lie in the memory of the program. */
function rowsOfPart(
  {enter}: Memory,
  backend: unknown,
  x: tf.TensorInfo,
  axis: number,
  begin: number,
  size: number[],
): tf.TensorInfo | null {
  const inner = 4 * tf.util.sizeFromShape(size.slice(axis + 1));
  const bytes = inner * size[axis];
  const rows = tf.util.sizeFromShape(size.slice(0, axis));
  return direct(enter, backend, [x], [...size], (program, [at], out) =>
    program.copyRows(at + inner * begin, inner * x.shape[axis], rows, bytes, out, bytes),
  );
}

function copy(
  from: Values,
  strides: number[],
  begin: number[],
  size: number[],
  together: number,
  to: Values,
): void {
  const length = tf.util.sizeFromShape(size.slice(together));
  let at = 0;
  const walk = (axis: number, start: number): void => {
    if (axis < together) {
      for (let i = 0; i < size[axis]; i++)
        walk(axis + 1, start + (begin[axis] + i) * strides[axis]);
      return;
    }
    const first = begin[axis] ?? 0;
    start += first * (strides[axis] ?? 1);
    if (length < LEAST_BLOCK) for (let i = 0; i < length; i++) to[at + i] = from[start + i];
    else to.set(from.subarray(start, start + length), at);
    at += length;
  };
  walk(0, 0);
}

const REASONS = {
  wasm: 'it copies the whole tensor to read a part of it; the part alone is copied',
  cpu: 'it finds the place of each number anew; rows are copied whole',
};

function isNumbers(x: tf.TensorInfo | undefined): x is tf.TensorInfo {
  return x !== undefined && x.dtype !== 'string' && x.dtype !== 'complex64';
}

export const SLICE: readonly Replacement[] = MEMORIES.map((memory) => ({
  kernel: 'Slice',
  backend: memory.backend,
  reason: REASONS[memory.backend],
  make: (theirs) => (call) => {
    const {x} = call.inputs;
    if (!isNumbers(x)) return theirs(call);
    const {begin, size} = call.attrs as unknown as {begin: number[]; size: number[]};
    const [from, shape] = tf.slice_util.parseSliceParams(x, begin, size);
    tf.slice_util.assertParamsValid(x, from, shape);
    return part(memory, call.backend, x, from, shape);
  },
}));

export const SPLIT: readonly Replacement[] = MEMORIES.map((memory) => ({
  kernel: 'SplitV',
  backend: memory.backend,
  reason: REASONS[memory.backend],
  make: (theirs) => (call) => {
    const {x} = call.inputs;
    if (!isNumbers(x)) return theirs(call);
    const {numOrSizeSplits, axis} = call.attrs as unknown as {
      numOrSizeSplits: number | number[];
      axis: number;
    };
    const [along] = tf.util.parseAxisParam(axis, x.shape);
    const begin = x.shape.map(() => 0);
    return tf.backend_util.prepareSplitSize(x, numOrSizeSplits, along).map((length) => {
      const size = x.shape.map((all, at) => (at === along ? length : all));
      const one = part(memory, call.backend, x, begin, size);
      begin[along] += length;
      return one;
    });
  },
}));
