/**
 * tf.layers.dense and tf.layers.layerNormalization with gradients that are fit for training on
 * wasm. Those of TF.js are right but slow there: dense asks for transposed matrix products, which
 * wasm computes ten times slower than plain ones, and layerNormalization's gradient is two kernels
 * for every row of the batch.
 */
import * as tf from '@tensorflow/tfjs';

export type Activation = 'linear' | 'relu';

export interface LinearArgs {
  units: number;
  activation?: Activation;
  useBias?: boolean;
  /** Standard deviation of the first weights, times the square root of the inputs. Default 1. */
  gain?: number;
  seed: number;
}

/** [B, n, inputs] -> [B, n, units]: activation(x W + b). */
export class Linear extends tf.layers.Layer {
  /** @nocollapse */
  static className = 'CharLmLinear';
  private readonly args: LinearArgs;
  private kernel!: tf.LayerVariable;
  private bias: tf.LayerVariable | null = null;

  constructor(args: LinearArgs) {
    super(args as object);
    const {units, activation = 'linear', useBias = true, gain = 1, seed} = args;
    this.args = {units, activation, useBias, gain, seed};
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const {units, useBias, gain, seed} = this.args;
    const inputs = (inputShape as tf.Shape)[2]!;
    const normal = tf.initializers.randomNormal({stddev: gain! / Math.sqrt(inputs), seed});
    this.kernel = this.addWeight('kernel', [inputs, units], 'float32', normal);
    if (useBias) this.bias = this.addWeight('bias', [units], 'float32', tf.initializers.zeros());
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs;
      const [batch, n, size] = x.shape;
      const product = multiply(tf.reshape(x, [batch * n, size]), this.kernel.read());
      const sum = this.bias ? tf.add(product, this.bias.read()) : product;
      const y = this.args.activation === 'relu' ? tf.relu(sum) : sum;
      return tf.reshape(y, [batch, n, this.args.units]);
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

/** Each position to mean 0 and variance 1, then times gamma plus beta: [B, n, d] -> [B, n, d]. */
export class LayerNorm extends tf.layers.Layer {
  /** @nocollapse */
  static className = 'CharLmLayerNorm';
  private gamma!: tf.LayerVariable;
  private beta!: tf.LayerVariable;

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const size = (inputShape as tf.Shape)[2]!;
    this.gamma = this.addWeight('gamma', [size], 'float32', tf.initializers.ones());
    this.beta = this.addWeight('beta', [size], 'float32', tf.initializers.zeros());
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs;
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const variance = tf.mean(tf.square(centred), -1, true);
      const normal = tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5)));
      return tf.add(tf.mul(normal, this.gamma.read()), this.beta.read());
    });
  }
}

tf.serialization.registerClass(Linear);
tf.serialization.registerClass(LayerNorm);
