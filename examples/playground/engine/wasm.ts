/** TF.js's WebAssembly, whose files are assets of the site. */
import * as tf from '@tensorflow/tfjs';
import {setWasmPaths} from '@tensorflow/tfjs-backend-wasm';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';

export function bringWasm(): void {
  const from = (path: string) => new URL(path, import.meta.url).href;
  setWasmPaths({
    'tfjs-backend-wasm.wasm': from(plain),
    'tfjs-backend-wasm-simd.wasm': from(simd),
    'tfjs-backend-wasm-threaded-simd.wasm': '', // asked for by name, and not fetched
  });
  // TF.js's own threads run the text of a function, which is not whole once it is bundled; ours do without
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
}
