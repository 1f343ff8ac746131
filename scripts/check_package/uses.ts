/**
 * A user's program, with every public name. check_package.sh compiles it against the packed package
 * as ESM and as CommonJS and runs both.
 */
import * as tf from '@tensorflow/tfjs';
import {
  DynamicPositionBias,
  FeedForward,
  HyperConnection,
  LocalAttention,
  LocalMHA,
  LocalTransformerBlock,
  ResidualStreams,
  RotaryEmbedding,
  StreamSum,
  TokenEmbedding,
  TokenLogits,
  createDecoder,
  createStream,
  generate,
  languageModelLoss,
  layers,
  loadCheckpoint,
  localAttention,
  localTransformer,
  ready,
  registerFasterKernels,
  rotary,
  saveCheckpoint,
  verify,
} from 'tfjs-local-attention';
import type {
  AngleOptions,
  ApplyOptions,
  CheckpointFile,
  CheckpointReport,
  CheckpointShards,
  CheckpointSource,
  Decoder,
  DecoderOptions,
  DynamicPositionBiasArgs,
  EmbeddingWeightArgs,
  FeedForwardLayerArgs,
  FeedOptions,
  GenerateOptions,
  HyperConnectionArgs,
  Implementation,
  Initializers,
  LanguageModelLossOptions,
  LayerArgs,
  LocalAttentionArgs,
  LocalAttentionCall,
  LocalAttentionConfig,
  LocalAttentionLayerArgs,
  LocalMHAArgs,
  LocalMHAConfig,
  LocalMHALayerArgs,
  LocalTransformerArgs,
  LocalTransformerBlockArgs,
  Prompt,
  ReadyOptions,
  Replaced,
  ReplacedGradient,
  ReplacedKernel,
  ResidualStreamsArgs,
  RotaryAngles,
  RotaryEmbeddingArgs,
  ShardIndex,
  Snapshot,
  Stop,
  Stream,
  TokenEmbeddingArgs,
  TokenIds,
  TokenLogitsArgs,
  TokenMask,
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

const blockArgs: LocalTransformerBlockArgs = {...projections, streams: 2};
const feedForwardArgs: FeedForwardLayerArgs = {dim: 8, mult: 2};
const biasArgs: DynamicPositionBiasArgs = {dim: 4, heads: 2, windowSize: 4};
const connectionArgs: HyperConnectionArgs = {layer: layers.feedForward(feedForwardArgs), dim: 8};
const streamArgs: ResidualStreamsArgs = {streams: 2};
const vectors: EmbeddingWeightArgs = {embeddingsInitializer: 'zeros'};
const embeddingArgs: TokenEmbeddingArgs = {numTokens: 11, dim: 8, ...vectors};
const logitsArgs: TokenLogitsArgs = {numTokens: 11, dim: 8};
const made = [
  [layers.localTransformerBlock(blockArgs), LocalTransformerBlock],
  [layers.feedForward(feedForwardArgs), FeedForward],
  [layers.dynamicPositionBias(biasArgs), DynamicPositionBias],
  [layers.hyperConnection(connectionArgs), HyperConnection],
  [layers.residualStreams(streamArgs), ResidualStreams],
  [layers.streamSum(), StreamSum],
  [layers.tokenEmbedding(embeddingArgs), TokenEmbedding],
  [layers.tokenLogits(logitsArgs), TokenLogits],
] as const;
check(
  made.every(([layer, kind]) => layer instanceof kind),
  'each factory makes its layer',
);

const initializers: Initializers = {kernel: 'heNormal'};
const transformer: LocalTransformerArgs = {
  ...{numTokens: 11, maxSeqLen: 16, dim: 8, depth: 1, heads: 2, dimHead: 4},
  ...{localAttnWindowSize: 4, numResidualStreams: 2, seed: 1, initializers},
};

async function write(): Promise<void> {
  const model = localTransformer(transformer);
  model.compile({optimizer: 'adam', loss: languageModelLoss});
  const ids = tf.tensor2d([[1, 2, 3, 4, 5]], [1, 5], 'int32');
  await model.fit(ids, ids, {epochs: 1, verbose: 0});
  const ignoring: LanguageModelLossOptions = {ignoreIndex: 0};
  const loss = languageModelLoss(model.predict(ids) as tf.Tensor, ids, ignoring);
  check((loss.dataSync()[0] as number) > 0, 'the loss is a number');

  const one: DecoderOptions = {batch: 1};
  const decoder: Decoder = createDecoder(model, one);
  const [fed, there]: [TokenIds, TokenMask] = [ids, tf.ones([1, 5], 'bool')];
  const feed: FeedOptions = {mask: there};
  check(`${decoder.feed(fed, feed).shape}` === '1,5,11', 'a decoder gives logits');
  const snapshot: Snapshot = decoder.snapshot();
  decoder.restore(snapshot);
  decoder.dispose();

  const [prompt, stop]: [Prompt, Stop] = [[1, 2], 12];
  const wanted: GenerateOptions = {maxTokens: 3, seed: 1, stop};
  const written: number[] = [];
  for await (const token of generate(model, prompt, wanted)) written.push(token);
  check(written.length === 3, 'it writes three tokens');

  const stream: Stream = createStream(localTransformer({...transformer, numTokens: null}));
  check(`${stream.push(tf.ones([1, 3, 8])).shape}` === '1,3,8', 'a stream gives as many outputs');

  const file: CheckpointFile = await saveCheckpoint(model);
  const index: ShardIndex = {weight_map: {}};
  const shards: CheckpointShards = {index, open: () => file};
  const source: CheckpointSource = file;
  check(typeof shards.open === 'function', 'shards are opened by name');
  const report: CheckpointReport = await loadCheckpoint(model, source);
  check(report.loaded.length > 0, 'a checkpoint is saved and loaded');
}

async function main(): Promise<void> {
  const wanted: ReadyOptions = {threads: 2};
  check((await ready(wanted)) === 2, 'two threads compute');
  const long: tf.Tensor = tf.ones([2, 1536, 48]);
  const mean = localAttention(long, long, long, {windowSize: 512, implementation: 'fused'});
  check(Math.abs((tf.min(mean).dataSync()[0] as number) - 1) < 1e-5, 'they compute a mean of ones');

  const replaced: Replaced[] = registerFasterKernels();
  check(replaced.length > 0, 'kernels of TF.js are replaced');
  const names = ([one]: (ReplacedKernel | ReplacedGradient)[]) => Object.keys(one).length;
  check(names(replaced) === 3, 'it says what, where and why');

  const answer: Verification = await verify();
  const failures: VerifyFailure[] = answer.failures;
  check(answer.passed === answer.cases && failures.length === 0, 'attention is right here');

  await write();

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
