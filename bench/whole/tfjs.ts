/** The model by TF.js on the current backend. */
import {Implementation, ready, registerFasterKernels} from 'tfjs-local-attention';

import {Model, batchesOf, compiled} from './index';
import {Step} from './training';

type Maker = (model: Model, threads: number) => Promise<Step>;

/** By name, the reference last. */
export const TFJS: Record<string, Maker> = {
  /** With all that this package has. */
  async fused(model, threads) {
    if (threads > 1) await ready({threads});
    registerFasterKernels();
    return steps(model, 'auto');
  },
  /** With its attention alone, fused where there is a kernel. */
  async 'fused attention'(model, threads) {
    if (threads > 1) await ready({threads});
    return steps(model, 'auto');
  },
  /** As it is, the attention composed of its ops. */
  tfjs: async (model) => steps(model, 'composite'),
};

function steps(model: Model, implementation: Implementation): Step {
  const trained = compiled(model, implementation);
  const batches = batchesOf(model);
  return (batch) => {
    const {input, target} = batches[batch];
    return trained.trainOnBatch(input, target) as Promise<number>;
  };
}
