/** Small products of a token at a time, by the program: the kernels of `src/nn/token_rows.ts`. */
import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';

import {instantiate} from './module';
import type {End, Enter, Place} from './run';

const ENTRY_BYTES = 8;

/**
 * [factors or rows [T, m, ·], ...sources [T, n, D] or [n, D] of all tokens] -> [T, m, D] of 'combine', or
 * [T, m, Σ n] of 'dots'
 */
export function tokenRowsKernel(name: 'combine' | 'dots', enter: Enter): KernelFunc {
  return ({inputs, backend}) => {
    const [first, ...sources] = Object.values(inputs) as TensorInfo[];
    const place = enter(backend, false);
    let end: End = 'failed';
    try {
      const [tokens, rows] = first.shape;
      const dim = sources[0].shape.at(-1)!;
      const given = place.address(first);
      const entries = sources.flatMap((source) => entriesOf(source, place));
      const count = entries.length / 2;
      const out = place.output([tokens, rows, name === 'dots' ? count : dim]);
      const table = place.scratch(count * ENTRY_BYTES);
      new Int32Array(place.memory.buffer, table, entries.length).set(entries);
      instantiate(place.memory)[name](given, table, count, tokens, rows, 4 * dim, out);
      const [result] = place.results();
      end = 'computed';
      return result;
    } finally {
      place.leave(end);
    }
  };
}

/** For each row of a token, where the first token's lies, and how far the next one's is. */
function entriesOf(source: TensorInfo, place: Place): number[] {
  const [rows, dim] = source.shape.slice(-2);
  const step = source.shape.length === 2 ? 0 : 4 * rows * dim;
  const at = place.address(source);
  return Array.from({length: rows}, (_, row) => [at + 4 * row * dim, step]).flat();
}
