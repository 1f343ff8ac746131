import * as tf from '@tensorflow/tfjs';

import type {BackendName} from './backend';

/** Answers, with a reason, when the device of the backend of now is lost: never, where none could be. */
export function lossOf(name: BackendName): Promise<string> {
  const backend: unknown = tf.backend();
  if (name === 'webgpu') {
    const {device} = backend as {device: GPUDevice};
    return device.lost.then(({message}) => message || 'the browser gave no reason');
  }
  if (name === 'webgl') {
    const {canvas} = (backend as {gpgpu: {gl: WebGL2RenderingContext}}).gpgpu.gl;
    return new Promise((resolve) =>
      canvas.addEventListener('webglcontextlost', () => resolve('its context was lost')),
    );
  }
  return new Promise(() => {});
}

/** How long after an error the message of a loss may come. */
const GRACE_MS = 300;

/** Waits until a loss of the backend of now, had there been one, would be known. */
export async function lossWouldBeTold(name: BackendName): Promise<void> {
  if (name !== 'webgl' && name !== 'webgpu') return;
  if (name === 'webgpu') {
    const {device} = tf.backend() as unknown as {device: GPUDevice};
    // what the GPU still computes comes first, and takes its time where it is emulated
    await device.queue.onSubmittedWorkDone().catch(() => null);
  }
  await new Promise((resolve) => setTimeout(resolve, GRACE_MS));
}
