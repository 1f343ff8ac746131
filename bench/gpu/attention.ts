/** Local attention by TF.js on the current backend: ours, and as one composes it. */
import * as tf from '@tensorflow/tfjs';
import {Implementation, localAttention} from 'tfjs-local-attention';

import {Skipped} from '../candidate';
import {straightforward} from '../candidates/straightforward';
import {Attend, InputTensors} from '../candidates/tfjs';
import {Inputs, What, Workload} from '../workloads';
import {GpuCandidate, kernelsOf, wait} from './candidate';
import {peakOf} from './pool';

type Maker = () => Promise<GpuCandidate>;

/** By name. Those that share inputs and differ in how they compute. */
export async function attentions(
  workload: Workload,
  inputs: Inputs,
  what: What,
): Promise<Record<string, Maker>> {
  const {heads, n, d, w} = workload;
  const given = [inputs.q, inputs.k, inputs.v, ...(what === 'training' ? [inputs.dout] : [])];
  const tensors = given.map((values) => tf.tensor3d(values, [heads, n, d]));
  for (const x of tensors) await wait(x); // they are uploaded at the first use
  const ours =
    (implementation: Implementation): Attend =>
    (q, k, v) =>
      localAttention(q, k, v, {
        windowSize: w,
        causal: true,
        useRotaryPosEmb: false,
        implementation,
      });
  return {
    fused: () => fused(ours('fused'), tensors),
    composite: () => candidate('composite', ours('composite'), tensors),
    straightforward: () => candidate('straightforward', straightforward(workload), tensors),
  };
}

/** @throws Skipped where there is no kernel, also where only its gradient is composed */
async function fused(attend: Attend, tensors: InputTensors): Promise<GpuCandidate> {
  try {
    return await candidate('fused', attend, tensors, (kernels) => {
      const needed = tensors.length > 3 ? 'LocalAttentionGrad' : 'LocalAttention';
      if (!kernels.includes(needed)) throw new Skipped('its gradient is composed here');
    });
  } catch (error) {
    const refusal = (error as Error).message.match(/(no fused kernel [^;]*)/);
    throw refusal ? new Skipped(refusal[1]) : error;
  }
}

async function candidate(
  name: string,
  attend: Attend,
  [q, k, v, dout]: InputTensors,
  inspect: (kernels: string[]) => void = () => {},
): Promise<GpuCandidate> {
  const gradients = tf.grads((...x) => attend(...(x as Parameters<Attend>)));
  const compute = () => tf.tidy(() => (dout ? gradients([q, k, v], dout) : [attend(q, k, v)]));

  const first = await kernelsOf(() => peakOf(compute));
  let {results} = first.result;
  inspect(first.kernels);
  return {
    name,
    kernels: first.kernels.length,
    async time(calls) {
      let total = 0;
      for (let call = 0; call < calls; call++) {
        tf.dispose(results);
        const start = performance.now();
        results = compute();
        await wait(results[results.length - 1]);
        total += performance.now() - start;
      }
      return total / calls;
    },
    async enqueue(calls) {
      let total = 0;
      for (let call = 0; call < calls; call++) {
        tf.dispose(results);
        const start = performance.now();
        results = compute();
        total += performance.now() - start;
      }
      await wait(results[results.length - 1]);
      return total / calls;
    },
    results: () => Promise.all(results.map((x) => x.data() as Promise<Float32Array>)),
    peakMiB: () => first.result.peakMiB,
    close: () => tf.dispose(results),
  };
}
