/** From a problem and where its tensors lie to the struct of a call. */
import {factsOf} from '../../src/attention/facts';
import type {Problem} from '../../src/attention/problem';
import {CALL, QUERIES_TOGETHER} from './module.generated';

/** The fields of the struct, which assembly/call.ts explains: where things lie, and all facts. */
type Field = (typeof CALL)[number];
type Pointer = Extract<Field, readonly [string, 'usize']>[0];
/** Where what a call has lies. */
export type Pointers = Partial<Record<Pointer, number>>;

export const CALL_BYTES = 4 * CALL.length;

/** Writes the struct of a call. */
export function writeCall(p: Problem, at: Pointers, memory: WebAssembly.Memory, to: number): void {
  const facts = factsOf(p);
  const struct = new DataView(memory.buffer, to, CALL_BYTES);
  for (let field = 0; field < CALL.length; field++) {
    const [name, type] = CALL[field];
    const value = type === 'usize' ? (at[name] ?? 0) : facts[name];
    if (type === 'f32') struct.setFloat32(4 * field, value, true);
    else struct.setInt32(4 * field, value, true); // the same bits for what has no sign
  }
}

/** Queries of a group, whole windows, which count their angles from one origin. */
export function queriesTogether({windowSize}: Problem): number {
  return Math.ceil(QUERIES_TOGETHER / windowSize) * windowSize;
}

/** Why `p` and its gradient do not fit into the 4 GiB of one memory, or null. */
export function unsupportedSize(p: Problem, threads = 1): string | null {
  const {batch, heads, length, headDim: d, valueDim: dv} = p;
  const rows = Math.min(length, p.context - p.windowSize + queriesTogether(p));
  const tensors = batch * heads * length * (4 * d + 4 * dv + 2);
  const scratch = rows * (2 * d + dv + 24) + QUERIES_TOGETHER * (4 * d + 3 * dv + 200);
  const gib = (tensors + threads * scratch + 2 * rows * d) / 2 ** 28;
  return gib < 4 ? null : `this call and its gradient take ${gib.toFixed(1)} GiB of at most 4`;
}
