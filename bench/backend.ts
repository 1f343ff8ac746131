/** The package that brings each backend; those without one come with TF.js. */
export const PACKAGES = {
  wasm: '@tensorflow/tfjs-backend-wasm',
  cpu: null,
  tensorflow: '@tensorflow/tfjs-node',
  webgl: null,
  webgpu: '@tensorflow/tfjs-backend-webgpu',
} as const;

export type Backend = keyof typeof PACKAGES;

export const BACKENDS = Object.keys(PACKAGES) as Backend[];

/** Where a backend runs: in a process of Node's, or in a page of Chromium's. */
export type Host = 'node' | 'chromium';

/** Those of a GPU, and where they run. */
export const GPU_HOSTS = {
  webgl: ['chromium'],
  webgpu: ['node', 'chromium'],
} as const satisfies Partial<Record<Backend, readonly Host[]>>;

export type GpuBackend = keyof typeof GPU_HOSTS;

export function isGpu(backend: Backend): backend is GpuBackend {
  return Object.hasOwn(GPU_HOSTS, backend);
}

export const CPU_BACKENDS = BACKENDS.filter((backend) => !isGpu(backend));

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
