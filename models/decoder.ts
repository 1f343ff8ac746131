import * as tf from '@tensorflow/tfjs';

import {decodeStep} from '../src/attention/decode_step';
import type {KeptKeys} from '../src/attention/kept_keys';
import {failType, refuse} from '../src/check/errors';
import {anything, count} from '../src/check/option_kinds';
import {Given, readOptions} from '../src/check/options';
import {expandStreams, sumStreams} from '../src/nn/hyper_connections';
import type {Attend, LocalMHAConfig} from '../src/nn/local_mha';
import {localTransformerBlock} from '../src/nn/local_transformer_block';
import {TokenEmbeddingWeights, embedTokens} from '../src/nn/token_embedding';
import {TokenLogitsWeights, tokenLogits} from '../src/nn/token_logits';
import {Fed, FedShape, TokenIds, TokenMask, checkFed} from './decoder_input';
import {KeptBias} from './kept_bias';
import {KvCache, checkCausal, copyOf, disposeCache, emptyCache, keepCache} from './kv_cache';
import {Parts, partsOf} from './parts';
import {Snapshot} from './snapshot';

const FN = 'createDecoder';

/** The options of a decoder. */
export const DECODER = {
  /** Sequences that are decoded side by side, B. */
  batch: count(1, 1),
};

/**
 * The options of {@link createDecoder}. `null` counts as absent.
 *
 * @interface
 */
export type DecoderOptions = Given<typeof DECODER>;

const FEED = {
  /** Which tokens exist, for ever: [B, m], such as `false` for the padding on the left of a prompt. */
  mask: anything<TokenMask>(),
};

/**
 * The options of {@link Decoder.feed}. `null` counts as absent.
 *
 * @interface
 */
export type FeedOptions = Given<typeof FEED>;

const INFERENCE = {training: false, seed: 0};

/**
 * Decodes a model of {@link localTransformer} part by part: what it is fed, in parts of any sizes, gets
 * the outputs that the same positions have in the model's forward pass of the whole text. Of the past just
 * the keys are kept that can still be seen, so that memory and the time of a step are the same at any
 * length:
 *
 *     const decoder = createDecoder(model);
 *     let logits = decoder.feed(prompt);              // [1, m, V]
 *     logits = decoder.feed([token]);                 // [1, 1, V]
 *
 * Prompts of different lengths are padded on the left, with a mask. The model's weights are read at each
 * feed; what is kept of the past was made by those of then.
 *
 * @param model causal, fresh or from tf.loadLayersModel
 * @throws if the model is no such one, sees what comes after a token, or has a layer of the user's own
 *     (`insertLayers`), of whose past nobody knows how much can be seen
 */
export function createDecoder(model: tf.LayersModel, options: DecoderOptions = {}): Decoder {
  const {batch} = readOptions(FN, DECODER, options);
  return decoderFor(FN, model, batch);
}

/** {@link createDecoder} for a function of another name. */
export function decoderFor(fn: string, model: tf.LayersModel, batch: number): Decoder {
  const parts = checkDecodable(fn, model, batch);
  return new Decoder(model, parts, batch, emptyCache(fn, attentionsOf(parts), batch));
}

/** The parts of a model that can be decoded. Throws for another, and allocates nothing. */
export function checkDecodable(fn: string, model: tf.LayersModel, batch: number): Parts {
  const parts = partsOf(fn, model);
  const inserted = parts.blocks.findIndex((one) => one.inserted !== null);
  if (inserted >= 0) {
    refuse(
      fn,
      `model must have no insertLayers, whose past no cache bounds, got one before block ${inserted + 1}`,
    );
  }
  checkCausal(fn, attentionsOf(parts), batch);
  return parts;
}

/** What {@link createDecoder} makes. */
export class Decoder {
  private readonly bias: KeptBias | null;
  private cache: KvCache | null;

  constructor(
    private readonly model: tf.LayersModel,
    private readonly parts: Parts,
    /** Sequences that are decoded side by side, B. */
    readonly batch: number,
    cache: KvCache,
  ) {
    this.bias = parts.positionBias && new KeptBias(parts.positionBias);
    this.cache = cache;
  }

  /** Tokens that have been fed to each sequence. */
  get position(): number {
    return this.cacheFor('position')[0].position;
  }

  /**
   * Feeds the next m tokens of each sequence, m ≥ 0, and answers their outputs, which the caller disposes. If
   * it throws, nothing has changed.
   *
   * @param input ids [B, m], int32 tensor or lists; with `numTokens: null` vectors [B, m, dim], float32
   * @returns logits [B, m, numTokens]; with `numTokens: null` [B, m, dim]
   */
  feed(input: TokenIds, options: FeedOptions = {}): tf.Tensor3D {
    const fn = 'decoder.feed';
    const cache = this.cacheFor('feed');
    const {mask} = readOptions(fn, FEED, options);
    const fed = checkFed(fn, input, mask, this.fedShape());
    this.checkLength(fn, fed.length, cache[0]);
    if (fed.length === 0) return tf.zeros(this.outputShape(0));
    const bias = this.bias?.read() ?? null;
    const after: KeptKeys[] = [];
    let output;
    try {
      output = tf.tidy(() => this.forward(fn, fed, cache, bias, after));
    } catch (error) {
      disposeCache(after, cache);
      throw error;
    }
    this.replace(cache, after);
    return output;
  }

  /** What is kept now, as a value: later feeds do not change it. The caller disposes it. */
  snapshot(): Snapshot {
    return new Snapshot(this.model, this.batch, copyOf(this.cacheFor('snapshot')));
  }

  /** Goes back to a snapshot, of this decoder or of another of the same model and batch. It stays good. */
  restore(snapshot: Snapshot): void {
    const cache = this.cacheFor('restore');
    if (!(snapshot instanceof Snapshot)) {
      failType('decoder.restore', 'snapshot must be what decoder.snapshot() answers', snapshot);
    }
    this.replace(cache, snapshot.copyFor(this.model, this.batch));
  }

  /** Forgets all that has been fed. */
  reset(): void {
    const cache = this.cacheFor('reset');
    this.replace(cache, emptyCache('decoder.reset', attentionsOf(this.parts), this.batch));
  }

  /** Frees what is kept; the decoder is of no more use then. The model and snapshots stay as they are. */
  dispose(): void {
    disposeCache(this.cacheFor('dispose'));
    this.bias?.dispose();
    this.cache = null;
  }

  /** The output of what is fed; what is to be kept then comes into `after`, kept from all tidies. */
  private forward(
    fn: string,
    fed: Fed,
    cache: KvCache,
    attnBias: tf.Tensor | null,
    after: KeptKeys[],
  ): tf.Tensor3D {
    const {embedding, blocks, streams, logits} = this.parts;
    const mask = fed.mask();
    let x = fed.input();
    if (embedding) {
      const weights = embedding.weightTensors() as unknown as TokenEmbeddingWeights;
      x = embedTokens(x, weights, cache[0].position);
    }
    if (streams > 1) x = expandStreams(x, streams);
    blocks.forEach(({block}, at) => {
      const {config} = block;
      const attend: Attend = (q, k, v) => {
        const {attention} = config.attention;
        const step = decodeStep(fn, [q, k, v], cache[at], attention, {mask, attnBias});
        keepCache([step.kept]); // at once, since tidies are around
        after.push(step.kept);
        return step.out;
      };
      x = localTransformerBlock(x, block.blockWeights(), config, attend, INFERENCE);
    });
    if (streams > 1) x = sumStreams(x);
    if (logits) x = tokenLogits(x, logits.weightTensors() as unknown as TokenLogitsWeights);
    return x as tf.Tensor3D;
  }

  private checkLength(fn: string, length: number, {position}: KeptKeys): void {
    const longest = this.parts.embedding?.config.maxSeqLen ?? null;
    if (longest === null || position + length <= longest) return;
    refuse(
      fn,
      `only maxSeqLen ${longest} tokens have positions (absolutePositions: false takes any number), ` +
        `got ${length} after ${position}`,
    );
  }

  private fedShape(): FedShape {
    const {embedding, blocks} = this.parts;
    const {dim} = blocks[0].block.config.attention;
    const {numTokens = null, maskZero = false} = embedding?.config ?? {};
    return {batch: this.batch, numTokens, dim, maskZero};
  }

  private outputShape(length: number): [number, number, number] {
    const {blocks, logits} = this.parts;
    const {dim} = blocks[0].block.config.attention;
    return [this.batch, length, logits?.config.numTokens ?? dim];
  }

  private replace(old: KvCache, fresh: KvCache): void {
    this.cache = fresh;
    disposeCache(old, fresh);
  }

  private cacheFor(what: string): KvCache {
    return this.cache ?? refuse(`decoder.${what}`, 'the decoder has been disposed');
  }
}

function attentionsOf({blocks}: Parts): LocalMHAConfig[] {
  return blocks.map(({block}) => block.config.attention);
}
