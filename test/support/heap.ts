/** What is taken of the heap of TF.js's wasm, which neither tensors nor data ids count. */
import * as tf from '@tensorflow/tfjs';

interface Heap {
  _malloc(bytes: number): number;
  _free(pointer: number): void;
}

/**
 * Watches the heap of the current backend, wasm, until `stop`: what is held, and how often something
 * was taken. Emscripten replaces both functions when they are first called: call once before.
 */
export function watchHeap() {
  const {wasm} = tf.backend() as unknown as {wasm: Heap};
  const {_malloc, _free} = wasm;
  const held = new Map<number, number>();
  const seen = {held, taken: 0, stop: () => void Object.assign(wasm, {_malloc, _free})};
  wasm._malloc = (bytes) => {
    const at = _malloc(bytes);
    held.set(at, bytes);
    seen.taken++;
    return at;
  };
  wasm._free = (at) => {
    held.delete(at);
    _free(at);
  };
  return seen;
}
