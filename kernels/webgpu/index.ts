/** Local attention on TF.js's webgpu backend: own pipelines, one dispatch forward. */
import * as tf from '@tensorflow/tfjs';

import {FusedBackend, KernelAttrs, byName} from '../../src/attention/fused';
import {factsOf} from '../../src/attention/facts';
import type {Problem} from '../../src/attention/problem';
import {anglesIn} from './angles';
import {WebGpuBackend, whyNotBackend} from './backend';
import {forwardBindings, forwardText} from './forward';
import {run} from './run';
import {queriesTogether, tileOf, variantOf} from './tile';

const forward: tf.KernelFunc = ({inputs, attrs, backend}) => {
  const gpu = backend as WebGpuBackend;
  const {problem: p, queryAngles, keyAngles} = attrs as unknown as KernelAttrs;
  const given = byName(inputs, attrs);
  const heads = p.batch * p.heads;
  const out = output(gpu, given.v.shape);
  const stats = output(gpu, [p.batch, p.heads, p.length, 2]);
  const angles = queryAngles && anglesIn(gpu, queryAngles, keyAngles!);
  const tile = tileOf(p);
  const variant = variantOf(p, tile);
  run(gpu, {
    key: `forward ${JSON.stringify(variant)}`,
    make: () => ({
      bindings: forwardBindings(variant),
      written: ['out', 'stats'],
      text: forwardText(variant),
    }),
    tensors: {
      ...given,
      out,
      stats,
      mask: given.mask ?? given.q,
      bias: given.bias ?? given.q,
      angles: angles?.info ?? given.q,
    },
    facts: {
      ...factsOf(p),
      masked: +(given.mask !== undefined),
      biased: +(given.bias !== undefined),
      keyAngles: angles?.keyAngles ?? 0,
    },
    workgroups: heads * Math.ceil(p.length / tile.queries),
    operations: 2 * heads * p.length * p.context * (p.headDim + p.valueDim),
  });
  if (angles) gpu.disposeData(angles.info.dataId);
  return [out, stats];
};

function output(backend: WebGpuBackend, shape: number[]): tf.TensorInfo {
  const empty = shape.includes(0) ? new Float32Array(0) : undefined;
  return backend.makeTensorInfo(shape, 'float32', empty);
}

function unsupported(_p: Problem): string | null {
  return whyNotBackend(tf.backend());
}

export const webgpu: FusedBackend = {
  backendName: 'webgpu',
  forward: {unsupported, run: forward},
  queriesTogether,
};
