/** Tile on wasm and cpu, which TF.js computes a number at a time: blocks are copied, and copies doubled. */
import {MEMORIES} from './memories';
import type {Replacement} from './replacement';
import type {Values} from './wasm_backend';

/** Repeats the first `length` numbers from `at` on until there are `times` of them. */
function repeat(values: Values, at: number, length: number, times: number): void {
  if (length === 1) values.fill(values[at], at + 1, at + times);
  for (let done = length; length > 1 && done < length * times; done *= 2) {
    values.copyWithin(at + done, at, at + Math.min(done, length * times - done));
  }
}

/** to [..., s · r, ...] from x [..., s, ...]. */
function tile(x: Values, shape: number[], reps: number[], to: Values): void {
  /** The last axis that is repeated; all from there on lies together. */
  let last = shape.length - 1;
  while (last > 0 && reps[last] === 1) last--;

  /** Writes the `size` numbers from `from` on, which axes from `axis` on count; returns the end. */
  const write = (axis: number, from: number, size: number, at: number): number => {
    let end = at;
    if (axis >= last) {
      if (size === 1) to[at] = x[from];
      else to.set(x.subarray(from, from + size), at);
      end += size;
    } else {
      const step = size / shape[axis];
      for (let i = 0; i < shape[axis]; i++) end = write(axis + 1, from + i * step, step, end);
    }
    const times = reps[axis] ?? 1; // a scalar has no axis
    repeat(to, at, end - at, times);
    return at + (end - at) * times;
  };
  write(0, 0, x.length, 0);
}

export const TILE: readonly Replacement[] = MEMORIES.map((memory) => ({
  kernel: 'Tile',
  backend: memory.backend,
  reason: 'it copies a number at a time; whole blocks are copied at the speed of memory',
  make: (theirs) => (call) => {
    const {x} = call.inputs;
    if (!x || x.dtype === 'string' || x.dtype === 'complex64') return theirs(call);
    const {reps} = call.attrs as unknown as {reps: number[]};
    const shape = x.shape.map((size, axis) => size * reps[axis]);
    const to = memory.make(call.backend, shape, x.dtype);
    if (shape.includes(0)) return to;
    const [from, all] = [x, to].map((info) => memory.values(call.backend, info));
    tile(from, x.shape, reps, all);
    return to;
  },
}));
