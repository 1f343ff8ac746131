import * as tf from '@tensorflow/tfjs';

/** What is used of TF.js's backends of a GPU. */
interface Backend {
  gpgpu?: {gl: WebGL2RenderingContext};
  device?: {adapterInfo?: GPUAdapterInfo};
}

/** The GPU of the current backend, in the words of its driver. */
export function deviceOf(): string {
  const {gpgpu, device} = tf.backend() as unknown as Backend;
  if (gpgpu) {
    const {gl} = gpgpu;
    const unmasked = gl.getExtension('WEBGL_debug_renderer_info')?.UNMASKED_RENDERER_WEBGL;
    return String(gl.getParameter(unmasked ?? gl.RENDERER));
  }
  const {vendor, architecture, device: model, description} = device!.adapterInfo!;
  return [vendor, architecture, model, description].filter(Boolean).join(' ') || 'unknown adapter';
}

/** Whether it is a program that computes as a GPU would, on the cores of a CPU. */
export function isEmulated(device: string): boolean {
  return /swiftshader|llvmpipe|lavapipe|software/i.test(device);
}
