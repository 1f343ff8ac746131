/** From a problem and where its tensors lie to the struct of a call. */
import {factsOf} from '../../src/attention/facts';
import type {Problem} from '../../src/attention/problem';
import {CALL, QUERIES_TOGETHER} from './module.generated';

/** The fields of the struct, which assembly/call.ts explains: where things lie, and all facts. */
type Field = (typeof CALL)[number];
type Pointer = Extract<Field, readonly [string, 'usize']>[0];
/** Where what a call has lies. */
export type Pointers = Partial<Record<Pointer, number>>;

/** Writes the struct of a call; answers where. */
export function writeCall(p: Problem, at: Pointers, place: Room): number {
  return writeStruct(CALL, Object.assign(at, factsOf(p)), place);
}

/** Where there is room for a struct. */
interface Room {
  memory: WebAssembly.Memory;
  scratch(bytes: number): number;
}

/** Writes the fields of a struct, 4 bytes each, or 0 for what is not there; answers where. */
export function writeStruct<Name extends string>(
  fields: readonly (readonly [Name, string])[],
  values: Partial<Record<Name, number>>,
  place: Room,
): number {
  const to = place.scratch(4 * fields.length);
  const struct = new DataView(place.memory.buffer, to, 4 * fields.length);
  fields.forEach(([name, type], field) => {
    const value = values[name] ?? 0;
    if (type === 'f32') struct.setFloat32(4 * field, value, true);
    else struct.setInt32(4 * field, value, true); // the same bits for what has no sign
  });
  return to;
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
