/**
 * Operations with a gradient in closed form. Besides their inputs only what is kept on purpose stays
 * alive until the gradient is taken, and of the gradient's own steps nothing: TF.js keeps what autodiff
 * may need, and all that a gradient makes on its way, to the end of the whole pass.
 */
import * as tf from '@tensorflow/tfjs';

import {kernelResult} from './kernel_result';

/** An operation that keeps nothing but its inputs. */
export function closedForm(
  inputs: tf.Tensor[],
  forward: (inputs: tf.Tensor[]) => tf.Tensor,
  gradients: (dy: tf.Tensor, inputs: tf.Tensor[]) => tf.Tensor[],
): tf.Tensor {
  const operation = tf.customGrad((...args) => {
    const save = args.pop() as unknown as tf.GradSaveFunc;
    const given = args as tf.Tensor[];
    save(given);
    return {
      value: forward(given),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.tidy(() => gradients(dy, saved)),
    };
  });
  return operation(...inputs);
}

/** What {@link closedFormKeeping} computes. */
export interface Keeping {
  /**
   * The value, and after it what the gradient asks for again: at most four tensors. Where it runs again, for a
   * gradient of a gradient, it is told what was kept, since tensors around it may be gone: of that, only what
   * comes from no input may be in what it makes.
   */
  forward: (inputs: tf.Tensor[], kept: tf.Tensor[]) => tf.Tensor[];
  /** Of the inputs, in their order; `kept` is what the forward gave after its value. */
  gradients: (dy: tf.Tensor, inputs: tf.Tensor[], kept: tf.Tensor[]) => tf.Tensor[];
}

/** The same of several values. */
export interface KeepingBesides {
  /** The values, and after them what the gradients ask for again: at most four tensors. */
  forward: Keeping['forward'];
  gradients: (dys: tf.Tensor[], inputs: tf.Tensor[], kept: tf.Tensor[]) => tf.Tensor[];
}

interface Attrs {
  operation: KeepingBesides;
  /** How many inputs it has. */
  given: number;
}

const KERNEL = 'LocalAttentionClosedForm';
const MOST_KEPT = 4;

/**
 * An operation that also keeps what its forward has made on the way. TF.js has such a thing only as a
 * kernel with several outputs: what a custom gradient saves besides, its own tests take for a leak.
 *
 * In a gradient of a gradient what was kept is made again, since it does not know how it came from the
 * inputs.
 */
export function closedFormKeeping(inputs: tf.Tensor[], {forward, gradients}: Keeping): tf.Tensor {
  const operation: KeepingBesides = {
    forward,
    gradients: ([dy], inputs, kept) => gradients(dy, inputs, kept),
  };
  return closedFormsKeeping(inputs, 1, operation)[0];
}

/** The same of as many values as `count` says, each of which is differentiated. */
export function closedFormsKeeping(
  inputs: tf.Tensor[],
  count: number,
  operation: KeepingBesides,
): tf.Tensor[] {
  const kernelName = kernelOf(count);
  const attrs = {operation, given: inputs.length} as unknown as tf.NamedAttrMap;
  const list = inputs as unknown as tf.NamedTensorMap; // of a list, the engine saves all
  const made = tf.engine().runKernel(kernelName, list, attrs) as tf.Tensor[];
  const values = made.slice(0, count);
  // the engine would make zeros as large as what is kept, for the gradient of each that has none
  const node = tf.engine().state.activeTape?.at(-1);
  if (node?.outputs[0] === made[0]) node.outputs = values;
  tf.dispose(made.slice(count)); // where there is to be a gradient, the engine has saved them
  return values;
}

/** The kernel of so many values: which of its outputs are saved is a fact of a kernel, not of a call. */
function kernelOf(count: number): string {
  const kernelName = count === 1 ? KERNEL : `${KERNEL}Of${count}`;
  const backendName = tf.getBackend();
  if (!tf.getKernel(kernelName, backendName)) {
    tf.registerKernel({kernelName, backendName, kernelFunc: run});
  }
  if (!tf.getGradient(kernelName)) tf.registerGradient(gradientOf(kernelName, count));
  return kernelName;
}

const run: tf.KernelFunc = ({inputs, attrs, backend}) => {
  const {forward} = (attrs as unknown as Attrs).operation;
  const made = tf.tidy(() => forward(Object.values(inputs) as tf.Tensor[], []));
  return made.map((x) => kernelResult(backend, x));
};

function gradientOf(kernelName: string, count: number): tf.GradConfig {
  return {
    kernelName,
    saveAllInputs: true,
    outputsToSave: Array.from({length: count + MOST_KEPT}, (_, i) => i >= count),
    gradFunc(dys, saved, attrs) {
      const {operation, given} = attrs as unknown as Attrs;
      const {forward, gradients} = operation;
      const inputs = saved.slice(0, given);
      const again = tf.engine().state.gradientDepth > 0;
      const found = saved.slice(given);
      const kept = again ? forward(inputs, found).slice(count) : found;
      const all = tf.tidy(() => gradients([dys].flat(), inputs, kept));
      // the engine would hold what all operations have saved until the last of them has its gradient
      if (!again) tf.dispose(saved);
      return Object.fromEntries(all.map((dx, i) => [i, () => dx]));
    },
  };
}
