process.env.VK_ICD_FILENAMES ??= '/usr/lib/chromium/vk_swiftshader_icd.json';
const {create, globals} = require('webgpu');
Object.assign(globalThis, globals);
Object.defineProperty(globalThis, 'navigator', {value: {gpu: create([])}, configurable: true, writable: true});
const tf = require('@tensorflow/tfjs');
require('@tensorflow/tfjs-backend-webgpu');
const {localAttention} = require(process.cwd() + '/src');
const {CASES} = require(process.cwd() + '/test/support/cases');
const {configOf, tensorsOf} = require(process.cwd() + '/test/support/inputs');
const {truthOf} = require(process.cwd() + '/test/support/truth');
(async () => {
  await tf.setBackend('webgpu'); await tf.ready();
  if (process.env.SHOW) tf.env().set('LOCAL_ATTENTION_SHOW_SHADER', true);
  const c = CASES.find((c: any) => c.name === process.argv[2]);
  const {values, wanted} = truthOf(c);
  const given = tensorsOf(c, values);
  const config = {...configOf(c), implementation: 'fused'};
  const {value, grads} = tf.valueAndGrads((q: any, k: any, v: any, attnBias: any) => localAttention(q, k, v, config, {...given.call, attnBias}))(given.inputs, given.dout);
  const results = [value, ...grads];
  for (const [at, {name, want}] of wanted.entries()) {
    const got = await results[at].data(); const [n, d] = want.shape.slice(-2); const rows: any = [];
    for (let r = 0; r < got.length / d; r++) { let e = 0; for (let x = 0; x < d; x++) e = Math.max(e, Math.abs(got[r*d+x] - want.data[r*d+x])); if (!(e < 1e-4)) rows.push(`${Math.floor(r/n)}:${r%n} ${e.toFixed(3)}`); }
    console.log(name, want.shape, rows.slice(0, 40).join(' | '));
  }
  process.exit(0);
})();
