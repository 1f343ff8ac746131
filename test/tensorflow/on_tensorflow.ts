/** For tests of the kernels on TF.js's tensorflow backend. */
import * as tf from '@tensorflow/tfjs';

import {LocalAttentionArgs, localAttention} from '../../src';
import type {LocalAttentionCall} from '../../src/attention/call';
import {BACKENDS, SKIPPED} from '../support/backends';

/** What the tests use of NodeJSKernelBackend. */
export interface NodeBackend {
  isUsingGpuDevice: boolean;
  binding: {getNumOfTensors(): number};
}

/** `describe`, or a skip that says why. */
export const onTensorflow: typeof describe | typeof describe.skip = BACKENDS.includes('tensorflow')
  ? describe
  : skip();

function skip() {
  const reason = SKIPPED.find((one) => one.startsWith('tensorflow')) ?? 'not in BACKENDS';
  console.log(`skipped, for want of tfjs-node: ${reason}`);
  return describe.skip;
}

/** One call, of q, k, v and dout of these sizes, made by the same numbers whatever the backend. */
export interface Call {
  leading: number[];
  n: number;
  d: number;
  dv: number;
  config: LocalAttentionArgs;
  /** Heads of a bias. */
  bias?: number;
  call?: () => LocalAttentionCall;
}

/** The output, and the gradients of q, k, v and the bias. */
export function results({leading, n, d, dv, config, bias, call}: Call): tf.Tensor[] {
  return tf.tidy(() => {
    const [q, k, v, dout] = [d, d, dv, dv].map((size, at) =>
      tf.mul(numbers([...leading, n, size], at), 1),
    ); // no longer in JavaScript
    const {windowSize: w, causal, lookBackward, lookForward} = config;
    const context = w * (1 + (lookBackward ?? 1) + (lookForward ?? (causal ? 0 : 1)));
    const inputs = bias ? [q, k, v, numbers([bias, w, context], 4)] : [q, k, v];
    const {value, grads} = tf.valueAndGrads((q, k, v, attnBias) =>
      localAttention(q, k, v, {...config, implementation: 'fused'}, {...call?.(), attnBias}),
    )(inputs, dout);
    return [value, ...grads];
  });
}

/** From −1 to 1, not the same in any two rows. */
function numbers(shape: number[], start: number): tf.Tensor {
  const values = new Float32Array(tf.util.sizeFromShape(shape));
  for (let i = 0; i < values.length; i++) values[i] = (((i + start) * 40503) % 65521) / 32760 - 1;
  return tf.tensor(values, shape);
}
