/**
 * Local attention on TF.js's webgpu backend: pipelines of our own, in its stream of commands. One
 * dispatch forward, and three for the gradient, or four where there is a bias.
 */
import * as tf from '@tensorflow/tfjs';

import type {FusedBackend} from '../../src/attention/fused';
import type {Problem} from '../../src/attention/problem';
import {WebGpuBackend, whyNotBackend} from './backend';
import {backward} from './backward';
import {forward} from './forward';
import {whyNotSeam} from './probe';
import {whyNotSize} from './size';
import {queriesTogether} from './forward/tile';

function unsupported(p: Problem): string | null {
  const backend = tf.backend() as unknown as WebGpuBackend;
  return whyNotBackend(backend) ?? whyNotSize(p, backend) ?? whyNotSeam(backend);
}

export const webgpu: FusedBackend = {
  backendName: 'webgpu',
  forward: {unsupported, run: forward},
  backward: {unsupported, run: backward},
  queriesTogether,
};
