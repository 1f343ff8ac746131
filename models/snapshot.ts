import type * as tf from '@tensorflow/tfjs';

import {refuse} from '../src/check/errors';
import {KvCache, copyOf, disposeCache} from './kv_cache';

/** What a decoder kept at one position: a value, which no decoder changes. */
export class Snapshot {
  private cache: KvCache | null;

  constructor(
    private readonly model: tf.LayersModel,
    private readonly batch: number,
    cache: KvCache,
  ) {
    this.cache = cache;
  }

  /** Tokens that had been fed to each sequence. */
  get position(): number {
    return this.living('position')[0].position;
  }

  /**
   * A copy for a decoder of this model and batch.
   *
   * @internal
   */
  copyFor(model: tf.LayersModel, batch: number): KvCache {
    const cache = this.living('restore');
    const fn = 'decoder.restore';
    if (model !== this.model) refuse(fn, 'snapshot must be of a decoder of the same model');
    if (batch !== this.batch) {
      refuse(fn, `snapshot must be of a decoder of batch ${batch}, got one of batch ${this.batch}`);
    }
    return copyOf(cache);
  }

  /** Frees what it holds. */
  dispose(): void {
    disposeCache(this.living('dispose'));
    this.cache = null;
  }

  private living(what: string): KvCache {
    return this.cache ?? refuse(`snapshot.${what}`, 'the snapshot has been disposed');
  }
}
