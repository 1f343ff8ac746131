import * as tf from '@tensorflow/tfjs';

import {seedOfStep} from '../src/attention/dropout';
import {DynamicPositionBias} from '../layers/dynamic_position_bias';
import {HyperConnection} from '../layers/hyper_connection';
import {LocalTransformerBlock} from '../layers/local_transformer_block';
import {ResidualStreams, StreamSum} from '../layers/residual_streams';
import {TokenEmbedding} from '../layers/token_embedding';
import {TokenLogits} from '../layers/token_logits';
import {
  Initializers,
  LocalTransformerArgs,
  LocalTransformerConfig,
  blockOptions,
  resolveTransformer,
} from './config';
import {LanguageModel} from './language_model';

const FN = 'localTransformer';

/**
 * A transformer of local attention, as a plain tf.LayersModel: LocalTransformer of the PyTorch package
 * local-attention 1.11.2.
 *
 *     ids [B, n] → TokenEmbedding → { x + LocalMHA(x); x + FeedForward(x) } · depth
 *       → LayerNorm → projection → logits of the next token [B, n, numTokens]
 *
 * With `numResidualStreams` S > 1 the residuals are hyper-connections of S streams. Without `numTokens`
 * it is an encoder, x [B, n, dim] to the same, without a norm at its end. Any n is taken: the
 * attention pads to whole windows. Which keys exist is told by `maskZero`, or for one call by
 * `model.apply(ids, {mask})`, bool [B, n].
 *
 * It trains by `model.fit` (see {@link languageModelLoss}), saves and loads as every model does, writes
 * by {@link generate}, and takes checkpoints of PyTorch by {@link loadCheckpoint}.
 *
 * @throws RangeError or TypeError that names the option, the rule and the value
 */
export function localTransformer(args: LocalTransformerArgs): tf.LayersModel {
  const config = resolveTransformer(FN, args);
  const layers = layersOf(config); // all of them, before the first is built: a layer may refuse
  try {
    return modelOf(config, layers);
  } catch (error) {
    disposeOwn(layers); // a layer of the user's may refuse when it is built
    throw error;
  }
}

type Layers = ReturnType<typeof layersOf>;

/** Chains the layers, by which they are built. */
function modelOf(config: LocalTransformerConfig, layers: Layers): tf.LayersModel {
  const input = inputOf(config);
  const chain = (x: tf.SymbolicTensor, layer: tf.layers.Layer | null) =>
    layer === null ? x : (layer.apply(x) as tf.SymbolicTensor);
  const tokens = chain(input, layers.embedding);
  const bias = layers.positionBias?.apply(tokens) as tf.SymbolicTensor | undefined;
  let x = chain(tokens, layers.expand);
  for (const {inserted, block} of layers.blocks) {
    x = chain(x, inserted);
    x = block.apply(bias ? [x, bias] : x) as tf.SymbolicTensor;
  }
  const graph = {inputs: input, outputs: chain(chain(x, layers.sum), layers.logits)};
  return layers.logits ? new LanguageModel(graph) : tf.model(graph);
}

function layersOf(config: LocalTransformerConfig) {
  const {numTokens, dim, depth, numResidualStreams: streams, insertLayers} = config;
  const seed = seedsOf(config);
  return {
    embedding: numTokens === null ? null : embedding(config, seed()),
    positionBias: config.useDynamicPosBias ? positionBias(config, seed()) : null,
    expand: streams > 1 ? new ResidualStreams({streams}) : null,
    blocks: Array.from({length: depth}, (_, at) => {
      const layer = insertLayers?.[at + 1];
      return {
        inserted: layer ? new HyperConnection({layer, dim, streams, seed: seed()}) : null,
        block: block(config, seed()),
      };
    }),
    sum: streams > 1 ? new StreamSum() : null,
    logits:
      numTokens === null
        ? null
        : new TokenLogits({dim, numTokens, seed: seed(), ...weights(config)}),
  };
}

/** Frees the weights of our own layers. Those of an inserted layer are the user's. */
function disposeOwn({embedding, positionBias, blocks, logits}: Layers): void {
  const ours = [embedding, positionBias, ...blocks.flatMap((one) => Object.values(one)), logits];
  for (const layer of ours) layer?.parameters.forEach((parameter) => parameter.dispose());
}

function inputOf({numTokens, dim}: LocalTransformerConfig): tf.SymbolicTensor {
  return numTokens === null
    ? tf.input({shape: [null, dim]})
    : tf.input({shape: [null], dtype: 'int32'});
}

function embedding(config: LocalTransformerConfig, seed: number | null): TokenEmbedding {
  const {numTokens, dim, maskZero, absolutePositions, maxSeqLen, initializers} = config;
  return new TokenEmbedding({
    numTokens: numTokens!,
    dim,
    maxSeqLen: absolutePositions ? maxSeqLen : null,
    maskZero,
    embeddingsInitializer: (initializers as Initializers | null)?.embeddings,
    seed,
  });
}

function positionBias(config: LocalTransformerConfig, seed: number | null): DynamicPositionBias {
  const {dim, heads, localAttnWindowSize, lookBackward, lookForward, causal} = config;
  return new DynamicPositionBias({
    dim: Math.floor(dim / 2),
    heads,
    windowSize: localAttnWindowSize,
    lookBackward,
    lookForward: lookForward ?? (causal ? 0 : 1),
    ...weights(config),
    seed,
  });
}

function block(config: LocalTransformerConfig, seed: number | null): LocalTransformerBlock {
  const {localAttnWindowSize, useDynamicPosBias, numResidualStreams} = config;
  return new LocalTransformerBlock({
    ...blockOptions(config),
    windowSize: localAttnWindowSize,
    useRotaryPosEmb: !useDynamicPosBias,
    streams: numResidualStreams,
    ...weights(config),
    seed,
  });
}

/** The initializers as the layers take them. */
function weights({initializers}: LocalTransformerConfig) {
  const {kernel, bias, gamma, beta} = (initializers ?? {}) as Initializers;
  return {
    kernelInitializer: kernel,
    biasInitializer: bias,
    gammaInitializer: gamma,
    betaInitializer: beta,
  };
}

/** A seed for each layer in turn; random ones without a seed. */
function seedsOf({seed}: LocalTransformerConfig): () => number | null {
  let layer = 0;
  return () => (seed === null ? null : seedOfStep(seed, layer++));
}
