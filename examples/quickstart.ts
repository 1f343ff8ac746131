/**
 * Local attention as a function, then as a layer of a model. You will see:
 *
 *     attended: 1,100,32
 *     predicted: 1,100,32
 *     weights: 8192
 */
import * as tf from '@tensorflow/tfjs';
import {layers, localAttention} from 'tfjs-local-attention';

// 100 tokens of size 32; each attends to the up to 10 tokens of its own and the previous window
const [q, k, v] = [0, 1, 2].map(() => tf.randomNormal([1, 100, 32]));
const attended = localAttention(q, k, v, {windowSize: 5, causal: true, dim: 32});
console.log(`attended: ${attended.shape}`);

// the same attention between its projections, with 2 heads of 32
const attention = layers.localMHA({dim: 32, heads: 2, dimHead: 32, windowSize: 5, causal: true});
const input = tf.input({shape: [null, 32]});
const output = attention.apply(input) as tf.SymbolicTensor;
const model = tf.model({inputs: input, outputs: output});
const predicted = model.predict(q) as tf.Tensor;
console.log(`predicted: ${predicted.shape}`);

console.log(`weights: ${attention.countParams()}`);
