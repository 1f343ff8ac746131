import * as tf from '@tensorflow/tfjs';

/** Whether the current backend keeps numbers in float16, as webgl does where a device draws no float32. */
export function keepsFloat16(): boolean {
  return tf.getBackend() === 'webgl' && !tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED');
}
