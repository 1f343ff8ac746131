/**
 * One process may hold both builds: a model saved from one is loaded where both are registered, and
 * threads that one starts compute for the other.
 */
import {createRequire} from 'node:module';
import {Worker} from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs';
import * as esm from 'tfjs-local-attention';
import {fileSystem} from 'tfjs-local-attention/node';

tf.env().set('IS_TEST', true); // no greeting
const cjs = createRequire(import.meta.url)('tfjs-local-attention') as typeof esm;
if (cjs.LocalMHA === esm.LocalMHA) throw new Error('there is one build only');

const x = tf.randomNormal([1, 10, 8]);
for (const {layers} of [esm, cjs]) {
  const layer = layers.localMHA({dim: 8, heads: 2, dimHead: 4, windowSize: 4, inputShape: [10, 8]});
  const model = tf.sequential({layers: [layer]});
  await model.save(fileSystem('both'));
  const loaded = await tf.loadLayersModel(fileSystem('both'));
  const [before, after] = [model, loaded].map((one) => one.predict(x) as tf.Tensor);
  if (tf.max(tf.abs(tf.sub(before, after))).dataSync()[0] !== 0) throw new Error('answers differ');
}

await cjs.ready({threads: 2});
const {postMessage} = Worker.prototype;
let jobs = 0;
Worker.prototype.postMessage = function (message) {
  jobs++;
  postMessage.call(this, message);
};
const long: tf.Tensor = tf.ones([2, 1536, 48]);
for (const {localAttention} of [esm, cjs]) localAttention(long, long, long, {windowSize: 512});
if (jobs !== 2) throw new Error(`threads took part in ${jobs} of 2 calls`);
console.log('  ESM and CommonJS in one process run');
