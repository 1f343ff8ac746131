/** In a page, what test/support/backends.ts is in Node: the one backend that its address names. */
import * as tf from '@tensorflow/tfjs';
import {setThreadsCount, setWasmPaths} from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgpu';

import {ready} from '../../src';
import {watchGpu} from '../support/gpu_errors';
import {SETTINGS} from './settings';

export const BACKENDS = [SETTINGS.backend];

setWasmPaths('/');
setThreadsCount(2);
for (const [flag, value] of Object.entries(SETTINGS.flags)) tf.env().set(flag, value);

// outside of beforeAll, ops run on cpu
void tf.setBackend('cpu');

/** Makes `name` the backend of the ops that follow; for `beforeAll`. */
export async function useBackend(name: string) {
  if (!(await tf.setBackend(name))) {
    throw new Error(`Backend "${name}" is registered but did not start.`);
  }
  const {wasm} = tf.backend() as unknown as {wasm?: {HEAPU8: Uint8Array}};
  const threaded = wasm !== undefined && !(wasm.HEAPU8.buffer instanceof ArrayBuffer);
  if (wasm && threaded !== (SETTINGS.flags.WASM_HAS_MULTITHREAD_SUPPORT ?? false)) {
    throw new Error(`TF.js runs its wasm ${threaded ? 'with' : 'without'} threads.`);
  }
  if (SETTINGS.threads > 1) await ready({threads: SETTINGS.threads});
  tf.env().set('IS_TEST', name !== 'wasm');
  watchGpu(name === 'webgpu' ? tf.backend() : null);
}
