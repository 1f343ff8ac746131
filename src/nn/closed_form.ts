/**
 * Operations with a gradient in closed form. Besides their inputs only what is kept on purpose stays
 * alive until the gradient is taken, and of the gradient's own steps nothing: TF.js keeps what autodiff
 * may need, and all that a gradient makes on its way, to the end of the whole pass.
 */
import * as tf from '@tensorflow/tfjs';

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
  /** The value, and after it what the gradient asks for again: at most four tensors. */
  forward: (inputs: tf.Tensor[]) => tf.Tensor[];
  /** Of the inputs, in their order; `kept` is what the forward gave after its value. */
  gradients: (dy: tf.Tensor, inputs: tf.Tensor[], kept: tf.Tensor[]) => tf.Tensor[];
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
export function closedFormKeeping(inputs: tf.Tensor[], operation: Keeping): tf.Tensor {
  const backendName = tf.getBackend();
  if (!tf.getKernel(KERNEL, backendName)) {
    tf.registerKernel({kernelName: KERNEL, backendName, kernelFunc: run});
  }
  const attrs = {operation} as unknown as tf.NamedAttrMap;
  const list = inputs as unknown as tf.NamedTensorMap; // of a list, the engine saves all
  const [value, ...kept] = tf.engine().runKernel(KERNEL, list, attrs) as tf.Tensor[];
  tf.dispose(kept); // where there is to be a gradient, the engine has saved them
  return value;
}

const run: tf.KernelFunc = ({inputs, attrs, backend}) => {
  const {forward} = (attrs as unknown as {operation: Keeping}).operation;
  const made = tf.tidy(() => forward(Object.values(inputs) as tf.Tensor[]));
  // what a kernel gives is data, not tensors: it must outlive these
  return made.map((x) => {
    (backend as tf.KernelBackend).incRef(x.dataId);
    const {dataId, shape, dtype} = x;
    x.dispose();
    return {dataId, shape, dtype};
  });
};

tf.registerGradient({
  kernelName: KERNEL,
  saveAllInputs: true,
  outputsToSave: [false, ...new Array(MOST_KEPT).fill(true)],
  gradFunc(dys, saved, attrs) {
    const {forward, gradients} = (attrs as unknown as {operation: Keeping}).operation;
    const [dy, ...unused] = dys as tf.Tensor[];
    tf.dispose(unused); // zeros of what was kept, which nobody else holds
    const count = saved.length - unused.length;
    const inputs = saved.slice(0, count);
    const again = tf.engine().state.gradientDepth > 0;
    const kept = again ? forward(inputs).slice(1) : saved.slice(count);
    const all = tf.tidy(() => gradients(dy, inputs, kept));
    // the engine would hold what all operations have saved until the last of them has its gradient
    if (!again) tf.dispose(saved);
    return Object.fromEntries(all.map((dx, i) => [i, () => dx]));
  },
});
