/** What computes, in the words that its backend has for it. Nowhere else does src know a backend. */
import * as tf from '@tensorflow/tfjs';

import {keepsFloat16} from '../attention/float16';
import {refuse} from '../check/errors';

/** What we use of TF.js's backends. */
interface Backends {
  webgl: {gpgpu: {gl: WebGLRenderingContext}};
  webgpu: {device: {adapterInfo?: AdapterInfo}; adapterInfo: AdapterInfo};
}

type AdapterInfo = Partial<Record<'vendor' | 'architecture' | 'device' | 'description', string>>;

const WORDS: Record<string, () => string | Promise<string>> = {
  cpu: () => 'JavaScript engine',
  async wasm() {
    const [simd, threads] = await Promise.all(
      ['WASM_HAS_SIMD_SUPPORT', 'WASM_HAS_MULTITHREAD_SUPPORT'].map((flag) =>
        tf.env().getAsync(flag),
      ),
    );
    return ['WebAssembly', simd && 'SIMD', threads && 'threads'].filter(Boolean).join(', ');
  },
  tensorflow: () => 'native TensorFlow',
  webgl() {
    const {gl} = (tf.backend() as unknown as Backends['webgl']).gpgpu;
    if (gl.isContextLost()) {
      refuse(
        'verify',
        'the WebGL context is lost, and TF.js would wait for it; load the page again',
      );
    }
    const unmasked = gl.getExtension('WEBGL_debug_renderer_info')?.UNMASKED_RENDERER_WEBGL;
    const textures = keepsFloat16() ? 'float16' : 'float32';
    return `${gl.getParameter(unmasked ?? gl.RENDERER)}, ${textures} textures`;
  },
  webgpu() {
    const {device, adapterInfo} = tf.backend() as unknown as Backends['webgpu'];
    const {vendor, architecture, description, device: model} = device.adapterInfo ?? adapterInfo;
    const words = [vendor, architecture, model, description].filter(Boolean).join(' ');
    return words || 'an adapter that does not say what it is';
  },
};

/** The device of the current backend; throws a RangeError where nothing would ever be read from it. */
export async function deviceOf(): Promise<string> {
  const name = tf.getBackend();
  return Object.hasOwn(WORDS, name) ? WORDS[name]() : name;
}
