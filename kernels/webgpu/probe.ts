/** Whether TF.js takes a pipeline from a program: the way in of {@link run} is documented nowhere. */
import * as tf from '@tensorflow/tfjs';

import type {WebGpuBackend} from './backend';
import {pipelineOf} from './pipelines';
import {programOf, uniformsOf} from './run';
import {buffers, callStruct} from './wgsl/call';

const answers = new WeakMap<WebGpuBackend, string | null>();

const NOTHING = {
  bindings: ['out'],
  written: ['out'],
  text: `// whether pipelines of ours are taken: does nothing
${buffers(['out'], ['out'], 'scattered')}
${callStruct(1)}
@compute @workgroup_size(1)
fn main() { out[0] = u.scale; }
`,
};

/** Why it does not, or null; asked once, by a dispatch that does nothing. */
export function whyNotSeam(backend: WebGpuBackend): string | null {
  const known = answers.get(backend);
  if (known !== undefined) return known;
  // TF.js then compiles alone, and takes nothing: that is no answer to keep
  if (tf.env().getFlags().WEBGPU_ENGINE_COMPILE_ONLY) return null;
  const answer = probe(backend);
  answers.set(backend, answer);
  return answer;
}

function probe(backend: WebGpuBackend): string | null {
  const {pipeline} = pipelineOf(backend.device, 'nothing', () => NOTHING);
  let taken = 0;
  const program = programOf(pipeline, 0, 1, () => taken++);
  const out = backend.makeTensorInfo([1], 'float32');
  try {
    backend.runWebGPUProgram(program, [], 'float32', uniformsOf({}), out);
  } catch (error) {
    return `this version of TF.js runs no program of ours (${error})`;
  } finally {
    backend.disposeData(out.dataId);
  }
  return taken > 0 ? null : 'this version of TF.js takes no pipeline from a program';
}
