import * as tf from '@tensorflow/tfjs';

import {fail, failType, refuse} from '../src/check/errors';
import {anything, count, flag, integer, required, seed} from '../src/check/option_kinds';
import {Chosen, Given, readOptions} from '../src/check/options';
import {BLOCK} from '../layers/local_transformer_block';
import type {EmbeddingWeightArgs} from '../layers/keras/embedding_options';
import type {WeightArgs} from '../layers/keras/weight_options';

/** Initializers by the kind of weight, each what tf.layers takes by that name. */
export interface Initializers {
  /** Of the matrices. Default `'glorotNormal'`. */
  kernel?: WeightArgs['kernelInitializer'];
  /** Default `'zeros'`. */
  bias?: WeightArgs['biasInitializer'];
  /** Of the norms. Default `'ones'`. */
  gamma?: WeightArgs['gammaInitializer'];
  /** Of the norms. Default `'zeros'`. */
  beta?: WeightArgs['betaInitializer'];
  /** Of the vectors of tokens and positions. Default `'randomUniform'`, as in tf.layers.embedding. */
  embeddings?: EmbeddingWeightArgs['embeddingsInitializer'];
}

const {windowSize: _w, useRotaryPosEmb: _r, streams: _s, firstStream: _f, ...OF_BLOCK} = BLOCK;

/** The options of {@link localTransformer}. */
export const LOCAL_TRANSFORMER = {
  /** Number of different tokens, V; without it an encoder of vectors, [B, n, dim] to the same. */
  numTokens: count(1),
  /** Tokens that have a learned position, N: the longest sequence. Needed with `absolutePositions`. */
  maxSeqLen: count(1),
  ...OF_BLOCK,
  /** Number of blocks. */
  depth: required(count(1)),
  /** No query sees a key after itself. */
  causal: flag(true),
  /** Tokens in a window, w. */
  localAttnWindowSize: count(1, 512),
  /** A learned bias by distance, one for all blocks, in the place of rotary embedding. */
  useDynamicPosBias: flag(false),
  /** Residual streams of the hyper-connections, S; 1 is a plain residual. */
  numResidualStreams: count(1, 4),
  /** The label that the loss leaves out: tell it to {@link languageModelLoss}. */
  ignoreIndex: integer(-1),
  /** Token 0 is padding, which no token sees, as in tf.layers.embedding. */
  maskZero: flag(false),
  /** Learned vectors of absolute positions; without them any length, and rotary alone. */
  absolutePositions: flag(true),
  /** Layers of the user's own, [B, n, dim] to the same, by the number, from 1, of the block they precede. */
  insertLayers: anything<Readonly<Record<number, tf.layers.Layer>>>(),
  /** Initializers of the weights by their kinds. */
  initializers: anything<Initializers>(),
  /** Where the seeds of initial weights and of dropout begin. Default: random. */
  seed: seed(),
};

/**
 * The options of `localTransformer`. `null` counts as absent.
 *
 * @interface
 */
export type LocalTransformerArgs = Given<typeof LOCAL_TRANSFORMER>;
export type LocalTransformerConfig = Chosen<typeof LOCAL_TRANSFORMER>;

const KINDS = ['kernel', 'bias', 'gamma', 'beta', 'embeddings'];

/** Checks the options by the rules above and against each other, and fills in the defaults. */
export function resolveTransformer(fn: string, args: LocalTransformerArgs): LocalTransformerConfig {
  const config = readOptions(fn, LOCAL_TRANSFORMER, args);
  const {numTokens, maxSeqLen, absolutePositions, depth} = config;
  if (numTokens !== null && absolutePositions && maxSeqLen === null) {
    failType(fn, 'maxSeqLen is required (or set absolutePositions: false)', maxSeqLen);
  }
  if (numTokens === null && config.maskZero) {
    refuse(fn, 'maskZero needs numTokens: without it there are no tokens that could be 0');
  }
  if (config.useDynamicPosBias && config.useXpos) {
    refuse(
      fn,
      'useDynamicPosBias takes the place of rotary embedding, and of useXpos with it; set one',
    );
  }
  if (config.useDynamicPosBias && config.dim! < 2) {
    fail(fn, 'useDynamicPosBias needs a dim of at least 2: its network has ⌊dim / 2⌋ units', config.dim); // prettier-ignore
  }
  checkInserted(fn, config.insertLayers ?? {}, depth);
  readOptions(
    fn,
    Object.fromEntries(KINDS.map((kind) => [kind, anything()])),
    config.initializers ?? {},
  );
  return config;
}

/** Those of the options that each block takes by the same name. */
export function blockOptions(config: LocalTransformerConfig): Given<typeof OF_BLOCK> {
  const names = Object.keys(OF_BLOCK) as (keyof typeof OF_BLOCK)[];
  return Object.fromEntries(names.map((name) => [name, config[name]])) as Given<typeof OF_BLOCK>;
}

function checkInserted(fn: string, inserted: object, depth: number): void {
  // of a Map, say, Object.entries finds nothing
  if (Object.prototype.toString.call(inserted) !== '[object Object]') {
    failType(fn, 'insertLayers must be an object such as {1: layer}', inserted);
  }
  for (const [at, layer] of Object.entries(inserted)) {
    if (!/^[1-9]\d*$/.test(at) || Number(at) > depth) {
      fail(fn, `insertLayers must name blocks by numbers from 1 to depth ${depth}`, at);
    }
    if (!(layer instanceof tf.layers.Layer)) {
      failType(fn, `insertLayers[${at}] must be a tf.layers.Layer`, layer);
    }
  }
  const layers = Object.values(inserted);
  if (new Set(layers).size < layers.length) {
    refuse(fn, 'insertLayers must hold another layer for each block: one used twice would share its weights'); // prettier-ignore
  }
}
