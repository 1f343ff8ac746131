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
