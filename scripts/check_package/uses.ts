/**
 * A user's program, with every public name. check_package.sh compiles it against the packed package
 * as ESM and as CommonJS and runs both.
 */
import * as tf from '@tensorflow/tfjs';
import {
  LocalAttention,
  LocalMHA,
  RotaryEmbedding,
  layers,
  localAttention,
  ready,
  registerFasterKernels,
  rotary,
  verify,
} from 'tfjs-local-attention';
import type {
  AngleOptions,
  ApplyOptions,
  Implementation,
  LayerArgs,
  LocalAttentionArgs,
  LocalAttentionCall,
  LocalAttentionConfig,
  LocalAttentionLayerArgs,
  LocalMHAArgs,
  LocalMHAConfig,
  LocalMHALayerArgs,
  ReadyOptions,
  Replaced,
  RotaryAngles,
  RotaryEmbeddingArgs,
  Verification,
  VerifyFailure,
  WeightArgs,
  XposOptions,
} from 'tfjs-local-attention';
import {fileSystem} from 'tfjs-local-attention/node';

tf.env().set('IS_TEST', true); // no greeting

function check(fact: boolean, claim: string): void {
  if (!fact) throw new Error(`not so: ${claim}`);
}

const implementation: Implementation = 'composite';
const options: LocalAttentionArgs = {windowSize: 4, causal: true, autopad: true, implementation};
const call: LocalAttentionCall = {mask: tf.ones([1, 10], 'bool'), training: false};
const x: tf.Tensor = tf.randomNormal([1, 10, 8]);
const attended: tf.Tensor = localAttention(x, x, x, options, call);
check(`${attended.shape}` === '1,10,8', 'the op keeps the shape');

const angleOptions: AngleOptions = {theta: 10000, offset: 3};
const angles: RotaryAngles = rotary.angles(10, 8, angleOptions);
const xpos: XposOptions = {scaleBase: 4};
const scale: ApplyOptions = {scale: rotary.xposScale(10, 8, xpos)};
check(rotary.apply(x, angles, scale).rank === 3, 'rotary keeps the rank');

const projections: LocalMHAArgs = {dim: 8, heads: 2, dimHead: 4, windowSize: 4};
const weights: WeightArgs = {kernelInitializer: 'heNormal'};
const first: LayerArgs = {inputShape: [null, 8]};
const mhaArgs: LocalMHALayerArgs = {...projections, ...weights, ...first};
const attentionArgs: LocalAttentionLayerArgs = {...options, seed: 1};
const rotaryArgs: RotaryEmbeddingArgs = {offset: 1};
const own = [
  layers.localMHA(mhaArgs),
  layers.localAttention(attentionArgs),
  layers.rotaryEmbedding(rotaryArgs),
];
const mhaConfig: LocalMHAConfig = layers.localMHA(mhaArgs).config;
const config: LocalAttentionConfig = mhaConfig.attention;
check(config.autopad && config.exactWindowsize, 'LocalMHA decides for its attention');
check(own[0] instanceof LocalMHA, 'the factory makes a LocalMHA');
check(own[1] instanceof LocalAttention, 'the factory makes a LocalAttention');
check(own[2] instanceof RotaryEmbedding, 'the factory makes a RotaryEmbedding');

async function main(): Promise<void> {
  const wanted: ReadyOptions = {threads: 2};
  check((await ready(wanted)) === 2, 'two threads compute');
  const long: tf.Tensor = tf.ones([2, 1536, 48]);
  const mean = localAttention(long, long, long, {windowSize: 512, implementation: 'fused'});
  check(Math.abs((tf.min(mean).dataSync()[0] as number) - 1) < 1e-5, 'they compute a mean of ones');

  const replaced: Replaced[] = registerFasterKernels();
  check(replaced.length > 0, 'kernels of TF.js are replaced');
  check(
    replaced.every(({backend, reason}) => backend && reason),
    'it says where and why',
  );

  const answer: Verification = await verify();
  const failures: VerifyFailure[] = answer.failures;
  check(answer.passed === answer.cases && failures.length === 0, 'attention is right here');

  const model = tf.sequential({layers: own});
  model.compile({optimizer: 'adam', loss: 'meanSquaredError'});
  const {history} = await model.fit(x, x, {epochs: 2, verbose: 0});
  const [first, last] = history.loss as number[];
  check(last < first, `the loss falls, from ${first} to ${last}`);

  await model.save(fileSystem('saved'));
  const loaded = await tf.loadLayersModel(fileSystem('saved'));
  const [before, after] = [model, loaded].map((one) => one.predict(x) as tf.Tensor);
  check(tf.max(tf.abs(tf.sub(before, after))).dataSync()[0] === 0, 'a loaded model answers alike');
}

main().catch((error: unknown) => {
  console.error(error);
  throw error;
});
