import * as tf from '@tensorflow/tfjs';

import {NO_BROWSER} from './browser';
import {watchGpu} from './gpu_errors';
import {NAMED, ONLY_IN_PAGES} from './named';

/** The package that registers each backend of Node that this suite knows. */
const PACKAGES: Record<string, string> = {
  cpu: '@tensorflow/tfjs',
  wasm: '@tensorflow/tfjs-backend-wasm',
  tensorflow: `@tensorflow/tfjs-node${process.env.TFJS_NODE_GPU ? '-gpu' : ''}`,
  webgpu: '@tensorflow/tfjs-backend-webgpu',
};

const KNOWN = [...Object.keys(PACKAGES), ...ONLY_IN_PAGES];

/** Why the backend cannot run here, or null if it can. */
function absence(name: string): string | null {
  if (ONLY_IN_PAGES.includes(name)) return NO_BROWSER;
  if (!Object.hasOwn(PACKAGES, name)) {
    return `this suite knows only ${KNOWN.join(', ')}`;
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

const candidates = (NAMED ?? KNOWN).map((name) => ({name, reason: absence(name)}));
/** The backends that this run covers. */
export const COVERED = candidates.filter(({reason}) => reason == null).map(({name}) => name);

/** Those of Node: all but what test/browser alone has. */
export const BACKENDS = COVERED.filter((name) => !ONLY_IN_PAGES.includes(name));

/** Those whose tensors can be read without waiting. */
const SYNCHRONOUS = BACKENDS.filter((name) => name !== 'webgpu');

/** Tests for each of those; where a run names none of them, skipped as one. */
export function describeSynchronous(name: string, tests: (backend: string) => void): void {
  if (SYNCHRONOUS.length > 0) describe.each(SYNCHRONOUS)(name, tests);
  else describe.skip(name, () => tests('none of this run'));
}

/** Each backend that this run skips, with the reason. */
export const SKIPPED = candidates
  .filter(({reason}) => reason != null)
  .map(({name, reason}) => `${name} (${reason})`);

if (NAMED != null && SKIPPED.length > 0) {
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
