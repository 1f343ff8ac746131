/** The browser script, as two script tags would run it: tf.min.js, then ours, in a bare realm. */
import {readFileSync} from 'node:fs';
import vm from 'node:vm';

const page = vm.createContext({console, performance, setTimeout, document: {}});
vm.runInContext('var self = this, window = this;', page);
for (const script of [
  '@tensorflow/tfjs/dist/tf.min.js',
  'tfjs-local-attention/dist/tfjs-local-attention.min.js',
]) {
  vm.runInContext(readFileSync(`node_modules/${script}`, 'utf8'), page, {filename: script});
}

const answer = vm.runInContext(
  `(() => {
    tf.setBackend('cpu'); // there is no canvas to ask for WebGL
    const {layers} = tfjsLocalAttention;
    const layer = layers.localMHA({dim: 8, heads: 2, dimHead: 4, windowSize: 4, inputShape: [null, 8]});
    const model = tf.sequential({layers: [layer]});
    const {shape} = model.predict(tf.ones([1, 10, 8]));
    return layer.getClassName() + ' ' + shape;
  })()`,
  page,
) as string;
if (answer !== 'LocalMHA 1,10,8') throw new Error(`not what was expected: ${answer}`);
console.log('  the browser script runs');
