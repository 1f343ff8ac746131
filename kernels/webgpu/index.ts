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
import {whyNotSize} from './size';
import {queriesTogether} from './forward/tile';

function unsupported(p: Problem): string | null {
  return whyNotBackend(tf.backend()) ?? whyNotSize(p, tf.backend() as unknown as WebGpuBackend);
}

export const webgpu: FusedBackend = {
  backendName: 'webgpu',
  forward: {unsupported, run: forward},
  backward: {unsupported, run: backward},
  queriesTogether,
};
