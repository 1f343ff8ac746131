/**
 * tf.layers.dense and tf.layers.layerNormalization with gradients that are fit for training on
 * wasm. Those of TF.js are right but slow there: dense asks for transposed matrix products, which
 * wasm computes ten times slower than plain ones, and layerNormalization's gradient is two kernels
 * for every row of the batch.
 */
import * as tf from '@tensorflow/tfjs';

export interface LinearArgs {
  units: number;
  /** Standard deviation of the first weights, times the square root of the inputs. Default 1. */
  gain?: number;
  seed: number;
}

/** [B, n, inputs] -> [B, n, units]: x W. */
export class Linear extends tf.layers.Layer {
  /** @nocollapse */
  static className = 'CharLmLinear';
  private readonly args: Required<LinearArgs>;
  private kernel!: tf.LayerVariable;

  constructor(args: LinearArgs) {
    super(args as object);
    this.args = {units: args.units, gain: args.gain ?? 1, seed: args.seed};
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const {units, gain, seed} = this.args;
    const inputs = (inputShape as tf.Shape)[2]!;
    const initializer = tf.initializers.randomNormal({stddev: gain / Math.sqrt(inputs), seed});
    this.kernel = this.addWeight('kernel', [inputs, units], 'float32', initializer);
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs;
      const [batch, n, size] = x.shape;
      const product = multiply(tf.reshape(x, [batch * n, size]), this.kernel.read());
      return tf.reshape(product, [batch, n, this.args.units]);
    });
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return [...(inputShape as tf.Shape).slice(0, -1), this.args.units];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {...super.getConfig(), ...this.args};
  }
}

/** x W, of matrices, whose gradient transposes before it multiplies. */
function multiply(x: tf.Tensor, weights: tf.Tensor): tf.Tensor {
  const operation = tf.customGrad((...args) => {
    const [x, weights, save] = args as unknown as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([x, weights]);
    const gradFunc = (dy: tf.Tensor, [x, weights]: tf.Tensor[]) => [
      tf.matMul(dy, tf.transpose(weights)),
      tf.matMul(tf.transpose(x), dy),
    ];
    return {value: tf.matMul(x, weights), gradFunc};
  });
  return operation(x, weights);
}

/** Each position to mean 0 and variance 1, [B, n, d] -> [B, n, d]: the next layer scales. */
export class LayerNorm extends tf.layers.Layer {
  /** @nocollapse */
  static className = 'CharLmLayerNorm';

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs;
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const variance = tf.mean(tf.square(centred), -1, true);
      return tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5)));
    });
  }
}

tf.serialization.registerClass(Linear);
tf.serialization.registerClass(LayerNorm);
