import {Candidate, Skipped} from '../../candidate';
import {peer} from './installed';
import {Protobuf, onnxModel} from './onnx_graph';
import {Task} from './task';

/** What is used of onnxruntime, native and web. */
interface Runtime {
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

/** onnxruntime, native or as WebAssembly, with the windowed graph. */
export async function onnx(
  library: 'onnxruntime-node' | 'onnxruntime-web',
  {name, workload, inputs, what, threads}: Task,
): Promise<Candidate> {
  if (what !== 'forward') throw new Skipped('it computes no gradients');
  const runtime = peer<Runtime>(library);
  const model = onnxModel(peer<Protobuf>('protobufjs'), workload);
  if (library === 'onnxruntime-web') runtime.env.wasm.numThreads = threads;
  const hadWorkers = 'Worker' in globalThis;
  const session = await runtime.InferenceSession.create(model, {
    executionProviders: [library === 'onnxruntime-web' ? 'wasm' : 'cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });

  // onnxruntime-web leaves one behind in Node, which jax-js would take for a browser's
  if (!hadWorkers) Reflect.deleteProperty(globalThis, 'Worker');

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
