/**
 * Local attention on TF.js's webgl backend: fragment programs on its own context, that write several
 * textures at a time. Scores lie in textures for a while, those of some queries after those of others.
 */
import * as tf from '@tensorflow/tfjs';

import type {FusedBackend} from '../../src/attention/fused';
import type {Problem} from '../../src/attention/problem';
import type {WebGLBackend} from './backend';
import {backward} from './backward';
import {tooLarge} from './chunks';
import {deviceOf, targetsOf} from './device';
import {forward} from './forward';
import {layoutOf, queriesTogether} from './layout';

function unsupported(p: Problem): string | null {
  const backend = tf.backend() as unknown as WebGLBackend;
  const gl = backend.gpgpu?.gl;
  if (!gl) return 'this backend shows no WebGL context';
  if (!('texStorage3D' in gl)) return 'it has WebGL 1 here, and the kernels need WebGL 2';
  if (gl.isContextLost()) return 'its WebGL context is lost';
  const device = deviceOf(backend);
  const targets = targetsOf(device);
  if ('reason' in targets) return targets.reason;
  return tooLarge(layoutOf(p, targets.count), device.maxSize);
}

export const webgl: FusedBackend = {
  backendName: 'webgl',
  forward: {unsupported, run: forward},
  backward: {unsupported, run: backward},
  queriesTogether,
};
