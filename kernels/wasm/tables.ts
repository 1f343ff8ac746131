/** Tables of angles in a backend's own memory: kept by the arrays they are copies of, the last ones used. */

/** Where they lie, the one used longest ago first. */
export type Tables = Map<Float32Array, number>;

/** What we use of Emscripten's heap. */
interface Heap {
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  HEAPU8: Uint8Array;
}

const MOST_KEPT_BYTES = 2 ** 24; // but those of the call, two at the most, whatever their size

/** Where a copy of the table lies; 0 where the heap has no room. */
export function tableIn(tables: Tables, table: Float32Array, heap: Heap): number {
  const at = tables.get(table) ?? copyInto(heap, table);
  if (at === 0) return 0;
  tables.delete(table);
  tables.set(table, at);
  let bytes = 0;
  for (const {byteLength} of tables.keys()) bytes += byteLength;
  for (const [oldest, pointer] of tables) {
    if (bytes <= MOST_KEPT_BYTES || tables.size <= 2) break;
    tables.delete(oldest);
    heap._free(pointer);
    bytes -= oldest.byteLength;
  }
  return at;
}

function copyInto(heap: Heap, table: Float32Array): number {
  const at = heap._malloc(table.byteLength) >>> 0;
  if (at !== 0) new Float32Array(heap.HEAPU8.buffer, at, table.length).set(table);
  return at;
}
