import {Candidate} from '../../candidate';
import {jax} from './jax';
import {onnx} from './onnx';
import {pytorch} from './pytorch';
import {Task} from './task';

/** Other libraries, by name. Each throws Skipped, with the reason, where it does not run. */
export const PEERS: Record<string, (task: Task) => Promise<Candidate>> = {
  'onnxruntime-node': (task) => onnx('onnxruntime-node', task),
  'onnxruntime-web': (task) => onnx('onnxruntime-web', task),
  'jax-js': jax,
  pytorch: (task) => pytorch('local-attention', task),
  'pytorch-flex': (task) => pytorch('flex-attention', task),
};
