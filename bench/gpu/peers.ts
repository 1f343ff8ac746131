/** Other libraries in the page; chromium.ts serves them. */
import {Skipped} from '../candidate';
import type {Jax} from '../candidates/peers/jax_library';
import {jaxCandidate} from '../candidates/peers/jax_program';
import {OnnxRuntime, onnxCandidate} from '../candidates/peers/onnx_session';
import type {Peers} from './case';

const JAX = '/peers/@jax-js/jax/dist/index.js';
const ONNX_RUNTIME = '/peers/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs';

export const peers: Peers = (workload, inputs, {backend, what}) => {
  const task = {workload, inputs, what, threads: 1};
  const jax = async () => jaxCandidate(await load<Jax>(JAX), backend, {...task, name: 'jax-js'});
  const onnx = async () => {
    const runtime = await load<OnnxRuntime>(ONNX_RUNTIME);
    const model = await fetch(`/model?${JSON.stringify(workload)}`);
    if (!model.ok) throw new Skipped(await model.text());
    const bytes = new Uint8Array(await model.arrayBuffer());
    return onnxCandidate(runtime, 'webgpu', bytes, {...task, name: 'onnxruntime-web'});
  };
  const hasOnnx = backend === 'webgpu' && what === 'forward'; // it computes no gradients
  return {'jax-js': jax, ...(hasOnnx && {'onnxruntime-web': onnx})};
};

/** @throws Skipped where it is not installed, or does not load */
async function load<T>(address: string): Promise<T> {
  const {ok} = await fetch(address, {method: 'HEAD'});
  if (!ok) throw new Skipped('it is not installed (scripts/install_peers.sh does it)');
  try {
    return (await import(address)) as T;
  } catch (error) {
    throw new Skipped(`it does not load: ${(error as Error).message.split('\n')[0]}`);
  }
}
