/** The backends of TF.js, in a worker. */
import * as tf from '@tensorflow/tfjs';
import {ready, registerFasterKernels} from 'tfjs-local-attention';

import {Device, DeviceLost} from './device';
import {rendererHere, rendererOf} from './renderer';

export type BackendName = 'cpu' | 'wasm' | 'webgl' | 'webgpu';

export const BACKENDS: readonly BackendName[] = ['cpu', 'wasm', 'webgl', 'webgpu'];

/** What computes now, or why the backend does not start, in a sentence. */
export type Started = {name: BackendName; device: string} | {name: BackendName; reason: string};

/** @param threads of the kernels for cpu and wasm; more than one needs an isolated page */
export async function startBackend(name: BackendName, threads = 1): Promise<Started> {
  const missing = whatIsMissing(name);
  if (missing) return {name, reason: missing};
  try {
    await bring(name);
    if (!(await tf.setBackend(name))) throw new Error('TF.js cannot start it here');
    await tf.ready();
    if (threads > 1) await ready({threads});
    registerFasterKernels();
    const told = deviceOf(name, threads);
    device = new Device(name, told);
    void device.lost.then((reason) => lose(new DeviceLost(name, reason).message));
    return {name, device: told};
  } catch (error) {
    // TF.js has let go of the one before
    if (device) await tf.setBackend(device.name);
    return {
      name,
      reason: `${name} does not start here: ${(error as Error).message.split('\n')[0]}`,
    };
  }
}

/** What this browser lacks for it, or null. */
function whatIsMissing(name: BackendName): string | null {
  if (name === 'webgpu' && !('gpu' in navigator)) return 'This browser has no WebGPU.';
  if (name === 'webgl' && rendererHere() === null)
    return 'This browser has no WebGL 2 in a worker.';
  return null;
}

/** Those that TF.js does not bring are loaded when they are asked for. */
async function bring(name: BackendName): Promise<void> {
  if (name === 'wasm') await (await import('./wasm')).bringWasm();
  if (name === 'webgpu') await import('@tensorflow/tfjs-backend-webgpu');
}

function deviceOf(name: BackendName, threads: number): string {
  if (name === 'webgpu') {
    const {adapterInfo} = tf.backend() as unknown as {adapterInfo?: GPUAdapterInfo};
    return adapterInfo?.description || adapterInfo?.vendor || 'WebGPU';
  }
  if (name === 'webgl') {
    return rendererOf((tf.backend() as unknown as {gpgpu: {gl: WebGL2RenderingContext}}).gpgpu.gl);
  }
  const language = name === 'cpu' ? 'JavaScript' : 'WebAssembly';
  return `${language}, ${threads === 1 ? 'one thread' : `${threads} threads`} on ${navigator.hardwareConcurrency} cores`;
}

let device: Device | null = null;

/** What computes: that which was started last. */
export function deviceNow(): Device {
  return device!;
}

/** What `work` gives. @throws DeviceLost, with a sentence, if the device is lost meanwhile */
export function onDevice<T>(work: () => Promise<T>): Promise<T> {
  return device!.during(work);
}

let lose: (sentence: string) => void;
const lost = new Promise<string>((resolve) => (lose = resolve));

/** Answers when the device of this worker is gone, with a sentence; until then not at all. */
export function whenLost(): Promise<string> {
  return lost;
}
