import * as tf from '@tensorflow/tfjs';

import {watchGpu} from './gpu_errors';

/** The package that registers each backend this suite knows. */
const PACKAGES: Record<string, string> = {
  cpu: '@tensorflow/tfjs',
  wasm: '@tensorflow/tfjs-backend-wasm',
  tensorflow: '@tensorflow/tfjs-node',
  webgpu: '@tensorflow/tfjs-backend-webgpu',
};

/** Why the backend cannot run here, or null if it can. */
function absence(name: string): string | null {
  if (!Object.hasOwn(PACKAGES, name)) {
    return `this suite knows only ${Object.keys(PACKAGES).join(', ')}`;
  }
  if (name === 'webgpu') {
    if (process.env.NO_WEBGPU) return process.env.NO_WEBGPU; // announce.ts has asked
    (globalThis as {installGpu?: () => void}).installGpu?.();
  }
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- test.each needs an answer now
    require(PACKAGES[name]);
    return null;
  } catch (error) {
    return String(error).split('\n', 1)[0];
  }
}

/** As in `BACKENDS=cpu,wasm`: these must be there, and only these run. */
const named = process.env.BACKENDS
  ? process.env.BACKENDS.split(',').map((name) => name.trim())
  : null;

const candidates = (named ?? Object.keys(PACKAGES)).map((name) => ({name, reason: absence(name)}));

/** The backends that this run covers. */
export const BACKENDS = candidates.filter(({reason}) => reason == null).map(({name}) => name);

/** Each backend that this run skips, with the reason. */
export const SKIPPED = candidates
  .filter(({reason}) => reason != null)
  .map(({name, reason}) => `${name} (${reason})`);

if (named != null && SKIPPED.length > 0) {
  throw new Error(`BACKENDS names what cannot run here: ${SKIPPED.join('; ')}.`);
}

// Outside of beforeAll, ops run on cpu. The default would be the best backend there is, and where
// that is wasm, it is not ready yet when a test file is read.
void tf.setBackend('cpu');

/** Makes `name` the backend of the ops that follow; for `beforeAll`. */
export async function useBackend(name: string) {
  if (!(await tf.setBackend(name))) {
    throw new Error(`Backend "${name}" is registered but did not start.`);
  }
  await tf.ready();
  // The engine then throws when a kernel leaks a data id. Not on wasm: a clone is a copy there, so
  // the engine takes every tensor that an op saves for its gradient for a leak.
  tf.env().set('IS_TEST', name !== 'wasm');
  watchGpu(name === 'webgpu' ? tf.backend() : null);
}
