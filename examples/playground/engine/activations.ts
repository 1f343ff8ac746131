/** What flows through a model before each block, and what the block's attention makes of it. */
import * as tf from '@tensorflow/tfjs';
import {LocalTransformerBlock} from 'tfjs-local-attention';

/** The blocks of the model, and x [B, n, dim] that each reads when the model reads `ids` [B, n]. */
export function blockInputs(
  model: tf.LayersModel,
  ids: tf.Tensor,
): {block: LocalTransformerBlock; x: tf.Tensor}[] {
  const blocks = model.layers.filter((layer) => layer instanceof LocalTransformerBlock);
  const outputs = blocks.map((block) => block.input as tf.SymbolicTensor);
  const read = tf.model({inputs: model.inputs, outputs}).predict(ids);
  const xs = Array.isArray(read) ? read : [read];
  return blocks.map((block, at) => ({block, x: xs[at]}));
}

/** The queries, keys and values of a block's heads, [B, h, n, d], before they are turned by rotary. */
export function queriesAndKeys(
  block: LocalTransformerBlock,
  x: tf.Tensor,
): {q: tf.Tensor4D; k: tf.Tensor4D; v: tf.Tensor4D} {
  const {heads, dimHead} = block.config.attention;
  const [batch, n, dim] = x.shape as number[];
  const {mean, variance} = tf.moments(x, -1, true);
  const normal = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5)));
  const scaled = tf.add(tf.mul(normal, weight(block, 'norm/gamma')), weight(block, 'norm/beta'));
  const flat = tf.reshape(scaled, [batch * n, dim]);
  const qkv = tf.reshape(tf.matMul(flat, weight(block, 'to_qkv/kernel')), [batch, n, 3, heads, dimHead]); // prettier-ignore
  const [q, k, v] = tf.unstack(tf.transpose(qkv, [2, 0, 3, 1, 4])) as tf.Tensor4D[];
  return {q, k, v};
}

/** A weight of the block's attention, by the name that it is saved under. */
export function weight(block: LocalTransformerBlock, name: string): tf.Tensor {
  const found = block.weights.find((one) => one.originalName.endsWith(`attention/${name}`));
  if (!found) throw new Error(`the block has no weight attention/${name}`);
  return found.read();
}
