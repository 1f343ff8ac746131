/** TF.js's WebAssembly, whose files are assets of the site. */
import {setThreadsCount, setWasmPaths} from '@tensorflow/tfjs-backend-wasm';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';

export function bringWasm(): void {
  const from = (path: string) => new URL(path, import.meta.url).href;
  setWasmPaths({
    'tfjs-backend-wasm.wasm': from(plain),
    'tfjs-backend-wasm-simd.wasm': from(simd),
    'tfjs-backend-wasm-threaded-simd.wasm': from(threaded),
  });
  setThreadsCount(Math.min(navigator.hardwareConcurrency, 4));
}
