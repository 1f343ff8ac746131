/** The package that brings each backend; cpu comes with TF.js. */
export const PACKAGES = {
  wasm: '@tensorflow/tfjs-backend-wasm',
  cpu: null,
  tensorflow: '@tensorflow/tfjs-node',
} as const;

export type Backend = keyof typeof PACKAGES;

export const BACKENDS = Object.keys(PACKAGES) as Backend[];

/** Whether the package of `backend` is there; it may still not start. */
export function installed(backend: Backend): boolean {
  const name = PACKAGES[backend];
  try {
    if (name) require.resolve(name);
    return true;
  } catch {
    return false;
  }
}
