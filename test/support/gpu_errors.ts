/**
 * What a GPU says of a test besides its results. A shader that is refused writes nothing, and its
 * output may be the freed buffer of an earlier result, which was right; so validation errors fail
 * the test, as do those that nobody has caught.
 */

/** What we use of WebGPUBackend. */
interface Gpu {
  device: GPUDevice;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

let watched: Gpu | null = null;
const uncaught: string[] = [];
const listening = new WeakSet<GPUDevice>();

/** From now on tests run on this backend of WebGPU, or on none. */
export function watchGpu(backend: unknown): void {
  watched = backend as Gpu | null;
  if (!watched || listening.has(watched.device)) return;
  listening.add(watched.device);
  watched.device.addEventListener(
    'uncapturederror',
    ({error}) => void uncaught.push(error.message),
  );
}

/** Whose errors are noted; a test that takes another backend has none noted of that. */
let noted: GPUDevice | null = null;

/** Before a test. */
export function expectNoGpuErrors(): void {
  noted = watched?.device ?? null;
  noted?.pushErrorScope('validation');
}

/** After it: throws what the GPU has to say. */
export async function checkGpuErrors(): Promise<void> {
  if (!watched) return;
  watched.ensureCommandEncoderReady();
  watched.endComputePassEncoder();
  watched.submitQueue();
  const error = (await noted?.popErrorScope()) ?? null;
  noted = null;
  const errors = [...(error ? [error.message] : []), ...uncaught.splice(0)];
  if (errors.length > 0) throw new Error(`the GPU says: ${errors.join('; ')}`);
}
