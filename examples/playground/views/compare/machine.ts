/** What this machine may compute with, found without starting it: a backend, or why it is missing. */
import type {BackendName} from '../../engine/backend';
import {rendererHere} from '../../engine/renderer';

export interface Candidate {
  /** As the visitor reads it: `wasm, 4 threads`. */
  title: string;
  backend: BackendName;
  threads: number;
  /** What it computes with, as far as the browser tells. */
  device: string;
  /** Why it is not here, in a sentence. */
  missing: string | null;
}

/** The kernels' threads at most, as the package has it. */
const MOST_THREADS = 8;

export async function candidates(): Promise<Candidate[]> {
  const cores = navigator.hardwareConcurrency || 1;
  const threads = Math.min(Math.max(2, cores), MOST_THREADS);
  const processor = `${cores} ${cores === 1 ? 'core' : 'cores'}`;
  return [
    {title: 'wasm, 1 thread', backend: 'wasm', threads: 1, device: processor, missing: null},
    {
      title: `wasm, ${threads} threads`,
      ...{backend: 'wasm', threads, device: processor},
      missing: whyNoThreads(cores),
    },
    {title: 'webgl', backend: 'webgl', threads: 1, ...webgl()},
    {title: 'webgpu', backend: 'webgpu', threads: 1, ...(await webgpu())},
    {title: 'cpu', backend: 'cpu', threads: 1, device: processor, missing: null},
  ];
}

function whyNoThreads(cores: number): string | null {
  if (!crossOriginIsolated) {
    return 'Threads need an isolated page: this server sends no Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy.';
  }
  return cores === 1 ? 'This machine has one core.' : null;
}

function webgl(): Pick<Candidate, 'device' | 'missing'> {
  const device = rendererHere();
  return {device: device ?? '', missing: device === null ? 'This browser has no WebGL 2.' : null};
}

async function webgpu(): Promise<Pick<Candidate, 'device' | 'missing'>> {
  if (!('gpu' in navigator)) {
    const why = isSecureContext ? '' : ', which it gives to https and to localhost alone';
    return {device: '', missing: `This browser has no WebGPU${why}.`};
  }
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  if (!adapter) return {device: '', missing: 'WebGPU finds no adapter here.'};
  // older browsers do not tell
  const {description, vendor, architecture}: Partial<GPUAdapterInfo> = adapter.info ?? {};
  const named = description || [vendor, architecture].filter(Boolean).join(' ');
  return {device: named || 'an adapter that the browser does not name', missing: null};
}

/** Whether a program on the processor stands in for a GPU. */
export function isEmulated(device: string): boolean {
  return /swiftshader|llvmpipe|lavapipe|basic render/i.test(device);
}
