/** One call of the forward kernel. */
import type {KernelFunc} from '@tensorflow/tfjs';

import {KernelAttrs, byName} from '../../../src/attention/fused';
import type {WebGpuBackend} from '../backend';
import {forwardBindings, forwardText} from './text';
import {run} from '../run';
import {bind, makeTensor, within} from '../tensors';
import {pairsOfHead, tileOf, variantOf} from './tile';

export const forward: KernelFunc = ({inputs, attrs, backend}) => {
  const gpu = backend as WebGpuBackend;
  const told = attrs as unknown as KernelAttrs;
  const {problem: p} = told;
  const given = byName(inputs, attrs);
  const heads = p.batch * p.heads;
  return within(gpu, (hold) => {
    const {tensors, facts} = bind(gpu, given, told, hold);
    const out = hold(makeTensor(gpu, given.v.shape));
    const stats = hold(makeTensor(gpu, [p.batch, p.heads, p.length, 2]));
    const variant = variantOf(p, tileOf(p));
    run(gpu, {
      key: `forward ${JSON.stringify(variant)}`,
      make: () => ({
        bindings: forwardBindings(variant),
        written: ['out', 'stats'],
        text: forwardText(variant),
      }),
      tensors: {...tensors, out, stats},
      facts,
      workgroups: heads * Math.ceil(p.length / variant.tile.queries),
      operations: 2 * heads * pairsOfHead(p) * (p.headDim + p.valueDim),
    });
    return [out, stats];
  });
};
