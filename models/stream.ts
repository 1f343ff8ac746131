import * as tf from '@tensorflow/tfjs';

import {fail, failType, refuse} from '../src/check/errors';
import {readOptions} from '../src/check/options';
import {checkTensor} from '../src/check/tensors';
import {DECODER, Decoder, DecoderOptions, decoderFor} from './decoder';
import {partsOf} from './parts';
import {Snapshot} from './snapshot';

const FN = 'createStream';

/**
 * Runs an encoder of {@link localTransformer} (`numTokens: null`) on samples as they come, such as the
 * frames of a sound or the values of a series. Each sample's output is there at once, with a latency of 0
 * samples, and is that of the model's forward pass of all samples so far; the time that it takes and what
 * is kept of the past are the same at any length:
 *
 *     const stream = createStream(encoder);
 *     const outputs = stream.push(samples);           // [1, m, dim] -> [1, m, dim]
 *
 * Layers that treat each token by itself, such as dense ones before and after the encoder, are applied to
 * what is pushed and what comes out.
 *
 * @param model causal, without numTokens, fresh or from tf.loadLayersModel
 * @throws if the model is no such one, or has a layer of the user's own (`insertLayers`)
 */
export function createStream(model: tf.LayersModel, options: DecoderOptions = {}): Stream {
  const {batch} = readOptions(FN, DECODER, options);
  const {embedding, blocks} = partsOf(FN, model);
  if (embedding !== null) {
    refuse(FN, 'model must be an encoder of vectors, numTokens: null; createDecoder is for tokens');
  }
  return new Stream(decoderFor(FN, model, batch), blocks[0].block.config.attention.dim);
}

/** What {@link createStream} makes. */
export class Stream {
  private decoder: Decoder | null;

  constructor(
    decoder: Decoder,
    private readonly dim: number,
  ) {
    this.decoder = decoder;
  }

  /** Streams that run side by side, B. */
  get batch(): number {
    return this.living('batch').batch;
  }

  /** Samples that have been pushed to each stream. */
  get position(): number {
    return this.living('position').position;
  }

  /**
   * The outputs of the next m samples of each stream, m ≥ 0, which the caller disposes. If it throws,
   * nothing has changed.
   *
   * @param samples [B, m, dim] float32
   * @returns [B, m, dim]
   */
  push(samples: tf.Tensor): tf.Tensor3D {
    const fn = 'stream.push';
    const decoder = this.living('push');
    checkTensor(fn, 'samples', samples, 'float32');
    const {batch} = decoder;
    if (samples.rank !== 3 || samples.shape[0] !== batch || samples.shape[2] !== this.dim) {
      fail(fn, `samples must have the shape [B, m, dim] = [${batch}, m, ${this.dim}]`, samples);
    }
    return decoder.feed(samples);
  }

  /** What is kept now, as a value: later samples do not change it. The caller disposes it. */
  snapshot(): Snapshot {
    return this.living('snapshot').snapshot();
  }

  /** Goes back to a snapshot, of this stream or of another of the same model and batch. It stays good. */
  restore(snapshot: Snapshot): void {
    const decoder = this.living('restore');
    if (!(snapshot instanceof Snapshot)) {
      failType('stream.restore', 'snapshot must be what stream.snapshot() answers', snapshot);
    }
    decoder.restore(snapshot);
  }

  /** Forgets all samples. */
  reset(): void {
    this.living('reset').reset();
  }

  /** Frees what is kept; the stream is of no more use then. The model and snapshots stay as they are. */
  dispose(): void {
    this.living('dispose').dispose();
    this.decoder = null;
  }

  private living(what: string): Decoder {
    return this.decoder ?? refuse(`stream.${what}`, 'the stream has been disposed');
  }
}
