/**
 * Transpose on wasm and cpu where it turns rows into columns; TF.js jumps through memory for each number, also
 * where none is to move, as in each `tf.layers.dense` over sequences.
 */
import {direct} from '../program/direct';
import {share} from './identity';
import {MEMORIES} from './memories';
import type {Replacement} from './replacement';

/** [batch, rows, columns] whose last two axes are exchanged, or null where it is not such; [] where nothing moves. */
function asMatrices(shape: number[], perm: number[]): [number, number, number] | [] | null {
  if (shape.includes(0)) return []; // TF.js would divide by it
  const axes = perm.filter((axis) => shape[axis] !== 1); // an axis of 1 may stand anywhere
  const sorted = [...axes].sort((a, b) => a - b);
  let same = 0;
  while (same < axes.length && axes[same] === sorted[same]) same++;
  const rest = sorted.slice(same);
  if (rest.length === 0) return [];
  const rows = rest.indexOf(axes[same]); // so many axes come last
  const turned = [...rest.slice(rows), ...rest.slice(0, rows)];
  if (turned.some((axis, at) => axis !== axes[same + at])) return null;
  const size = (some: number[]) => some.reduce((product, axis) => product * shape[axis], 1);
  return [size(sorted.slice(0, same)), size(rest.slice(0, rows)), size(rest.slice(rows))];
}

export const TRANSPOSE: readonly Replacement[] = MEMORIES.map(({backend, enter}) => ({
  kernel: 'Transpose',
  backend,
  reason: 'it reads far apart, a number at a time; four rows and four columns are turned at once',
  make: (theirs) => (call) => {
    const {x} = call.inputs;
    const {perm} = call.attrs as unknown as {perm: number[]};
    const sizes = x?.dtype === 'float32' && asMatrices(x.shape, perm);
    if (!x || !sizes) return theirs(call);
    const shape = perm.map((axis) => x.shape[axis]);
    if (sizes.length === 0) return share(call.backend, x, shape);
    const turned = direct(enter, call.backend, [x], shape, (program, [at], out) =>
      program.transpose(at, ...sizes, out),
    );
    return turned ?? theirs(call);
  },
}));
