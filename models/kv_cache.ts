/** What a decoder keeps of the past: for each block the keys and values that can still be seen. */
import * as tf from '@tensorflow/tfjs';

import {decodeProblem, keepNone} from '../src/attention/decode_step';
import type {KeptKeys} from '../src/attention/kept_keys';
import type {Problem} from '../src/attention/problem';
import type {LocalMHAConfig} from '../src/nn/local_mha';

/** By block. Its tensors outlive every tidy, and are disposed by hand. */
export type KvCache = readonly KeptKeys[];

/**
 * The cache of attentions that have seen nothing, for `batch` sequences.
 *
 * @throws if one of them is not causal
 */
export function emptyCache(
  fn: string,
  attentions: readonly LocalMHAConfig[],
  batch: number,
): KvCache {
  const problems = checkCausal(fn, attentions, batch);
  return lasting(() => problems.map(keepNone));
}

/** What is known of attentions that are to decode. Throws if one of them cannot, and allocates nothing. */
export function checkCausal(
  fn: string,
  attentions: readonly LocalMHAConfig[],
  batch: number,
): Problem[] {
  return attentions.map(({heads, dimHead, attention}) => {
    const head = [batch, heads, 1, dimHead];
    return decodeProblem(fn, {q: head, k: head, v: head}, attention);
  });
}

/** The same values in other tensors. */
export function copyOf(cache: KvCache): KvCache {
  // a product, because a clone may be another name of the same memory, into which kernels write
  const copy = <T extends tf.Tensor>(x: T): T => tf.mul(x, 1);
  return lasting(() =>
    cache.map((kept) => ({
      ...kept,
      k: copy(kept.k),
      v: copy(kept.v),
      exists: kept.exists && copy(kept.exists),
    })),
  );
}

/** Disposes the tensors of a cache but those that another one has too. */
export function disposeCache(cache: KvCache, but: KvCache = []): void {
  const used = new Set(tensorsOf(but));
  tf.dispose(tensorsOf(cache).filter((x) => !used.has(x)));
}

/** What `make` makes, kept from all tidies. */
function lasting(make: () => KvCache): KvCache {
  // TF.js takes records with null apart, as its types do not say
  const cache = tf.tidy(make as never) as unknown as KvCache;
  keepCache(cache);
  return cache;
}

export function keepCache(cache: KvCache): void {
  for (const x of tensorsOf(cache)) tf.keep(x);
}

function tensorsOf(cache: KvCache): tf.Tensor[] {
  return cache.flatMap(({k, v, exists}) => (exists ? [k, v, exists] : [k, v]));
}
