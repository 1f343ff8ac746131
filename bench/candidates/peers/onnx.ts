import {Candidate, Skipped} from '../../candidate';
import {peer} from './installed';
import {Protobuf, onnxModel} from './onnx_graph';
import {OnnxRuntime, onnxCandidate} from './onnx_session';
import {Task} from './task';

/** onnxruntime in Node, native or as WebAssembly. */
export async function onnx(
  library: 'onnxruntime-node' | 'onnxruntime-web',
  task: Task,
): Promise<Candidate> {
  if (task.what !== 'forward') throw new Skipped('it computes no gradients');
  const runtime = peer<OnnxRuntime>(library);
  const model = onnxModel(peer<Protobuf>('protobufjs'), task.workload);
  const hadWorkers = 'Worker' in globalThis;
  const provider = library === 'onnxruntime-web' ? 'wasm' : 'cpu';
  const candidate = await onnxCandidate(runtime, provider, model, task);

  // onnxruntime-web leaves one behind in Node, which jax-js would take for a browser's
  if (!hadWorkers) Reflect.deleteProperty(globalThis, 'Worker');
  return candidate;
}
