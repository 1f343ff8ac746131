import {Candidate} from '../../candidate';
import {Task} from './task';

/** What is used of onnxruntime, native and web. */
export interface OnnxRuntime {
  env: {wasm: {numThreads: number}};
  Tensor: new (type: 'float32', values: Float32Array, dims: number[]) => Value;
  InferenceSession: {create(model: Uint8Array, options: object): Promise<Session>};
}

interface Session {
  run(feeds: Record<string, Value>): Promise<Record<'out', Value>>;
}

interface Value {
  data: Float32Array;
  dispose(): void;
}

/** onnxruntime with the windowed graph; `model` has its bytes. */
export async function onnxCandidate(
  runtime: OnnxRuntime,
  provider: 'cpu' | 'wasm' | 'webgpu',
  model: Uint8Array,
  {name, workload, inputs, threads}: Task,
): Promise<Candidate> {
  if (provider !== 'cpu') runtime.env.wasm.numThreads = threads;
  const session = await runtime.InferenceSession.create(model, {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const {heads, n, d} = workload;
  const {q, k, v} = inputs;
  const tensor = (values: Float32Array) => new runtime.Tensor('float32', values, [heads, n, d]);
  const feeds = {q: tensor(q), k: tensor(k), v: tensor(v)};
  let {out} = await session.run(feeds);
  return {
    name,
    async time(calls) {
      const start = performance.now();
      for (let call = 0; call < calls; call++) ({out} = await session.run(feeds));
      return (performance.now() - start) / calls;
    },
    results: async () => [out.data],
    peakMiB: () => null,
    close() {},
  };
}
