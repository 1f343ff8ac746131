/**
 * Local attention on a backend that is fast. You will see:
 *
 *     wasm: 1,8,1000,64
 */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm'; // or '@tensorflow/tfjs-backend-webgpu'
import {localAttention, ready} from 'tfjs-local-attention';

await tf.setBackend('wasm'); // or 'webgpu'
await ready(); // threads, where there can be any

// 8 heads of 1000 tokens of size 64; each sees up to 256 keys: its own window and the one before it
const [q, k, v] = [0, 1, 2].map(() => tf.randomNormal([1, 8, 1000, 64]));
const options = {windowSize: 128, causal: true, autopad: true};
const attended = localAttention(q, k, v, options);
console.log(`${tf.getBackend()}: ${attended.shape}`);
