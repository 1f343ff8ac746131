process.env.VK_ICD_FILENAMES ??= '/usr/lib/chromium/vk_swiftshader_icd.json';
const {create, globals} = require('webgpu');
Object.assign(globalThis, globals);
Object.defineProperty(globalThis, 'navigator', {value: {gpu: create([])}, configurable: true, writable: true});
const tf = require('@tensorflow/tfjs');
require('@tensorflow/tfjs-backend-webgpu');
const {localAttention} = require(process.cwd() + '/src');
(async () => {
  await tf.setBackend('webgpu'); await tf.ready();
  const n = 23, d = 6;
  const [q, k, v, dout] = [1,2,3,4].map((s) => tf.randomUniform([1, n, d], -1, 1, 'float32', s));
  const go = (mask: any, implementation: string, extra = {}) => tf.grads((q: any, k: any, v: any) => localAttention(q, k, v, {windowSize: 5, autopad: true, implementation, ...extra}, {mask}))([q, k, v], dout);
  for (const extra of [{}, {useRotaryPosEmb: false}, {causal: true}]) {
  for (const mask of [null, tf.ones([1, n], 'bool'), tf.tensor2d(Array.from({length: n}, (_, i) => +(i % 3 > 0)), [1, n], 'bool')]) {
    const a = go(mask, 'fused', extra), b = go(mask, 'composite', extra);
    for (let i = 0; i < 3; i++) { const x = await a[i].array(), y = await b[i].array(); const bad: any = []; for (let r = 0; r < n; r++) { const e = Math.max(...x[0][r].map((z: number, c: number) => Math.abs(z - y[0][r][c]))); if (!(e < 1e-4)) bad.push(r + ' ' + JSON.stringify(x[0][r].map((z: number) => +z.toFixed(3))) + JSON.stringify(y[0][r].map((z: number) => +z.toFixed(3)))); } console.log(JSON.stringify(extra), !!mask, 'qkv'[i], bad.join(' | ')); }
  }}
  process.exit(0);
})();
