/**
 * What an attention that decodes keeps of the tokens it has been given: their keys and values, of just
 * so many as a query can see, its own included:
 *
 *     K = lookBackward · w + 1  (exactWindowsize)        K = (lookBackward + 1) · w  (whole windows)
 *
 * They lie in a ring, token t in place t mod K. So nothing grows, and the place that a new token takes
 * is that of one which no later query sees.
 */
import * as tf from '@tensorflow/tfjs';

import type {Problem} from './problem';

export interface KeptKeys {
  /** Tokens that have been given: the position of the next. */
  readonly position: number;
  /** [B, h, K, d], as they meet queries but for xpos: normalised (sharedQk) and rotated by their positions. */
  readonly k: tf.Tensor4D;
  /** [B, h, K, dv] */
  readonly v: tf.Tensor4D;
  /** Which of them exist, as 1 or 0: [B, K]; null where all do that have been given. */
  readonly exists: tf.Tensor2D | null;
  /** The position from which on all tokens exist. */
  readonly wholeFrom: number;
}

/** The facts of a problem that say how many keys a query sees. */
type Reach = Pick<Problem, 'windowSize' | 'lookBackward' | 'exactWindowsize'>;

/** K */
export function capacityOf({windowSize, lookBackward, exactWindowsize}: Reach): number {
  const back = lookBackward * windowSize;
  return exactWindowsize ? back + 1 : back + windowSize;
}

/** The first token that query i sees, if there is one: negative near the beginning. */
export function firstSeen({windowSize, lookBackward, exactWindowsize}: Reach, i: number): number {
  const from = exactWindowsize ? i : Math.floor(i / windowSize) * windowSize;
  return from - lookBackward * windowSize;
}

/** Before any token. The caller disposes k and v. */
export function keysOfNone(p: Problem): KeptKeys {
  const places = [p.batch, p.heads, capacityOf(p)] as const;
  return {
    position: 0,
    k: tf.zeros([...places, p.headDim]),
    v: tf.zeros([...places, p.valueDim]),
    exists: null,
    wholeFrom: 0,
  };
}

/** The token in each place when so many have been given; negative where there is none. */
export function tokensInPlaces(given: number, capacity: number): number[] {
  const last = given - 1;
  return Array.from({length: capacity}, (_, place) => {
    const newer = (((last - place) % capacity) + capacity) % capacity; // in places after this one
    return last - newer;
  });
}

/**
 * With m tokens more, of k [B, h, m, d] and v [B, h, m, dv] as they are kept and a mask bool [B, m]. What is new
 * of it, the caller disposes.
 */
export function withNewKeys(
  kept: KeptKeys,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  mask: tf.Tensor2D | null,
): KeptKeys {
  const [batch, heads, capacity] = kept.k.shape;
  const count = k.shape[2];
  const fresh = Math.min(count, capacity);
  const index = placesAfter(kept.position, count, capacity);
  const put = (old: tf.Tensor4D, all: tf.Tensor4D): tf.Tensor4D => {
    const size = [batch, heads, fresh, old.shape[3]];
    const last = fresh === count ? all : tf.slice(all, [0, 0, count - fresh, 0], size);
    return tf.gather(tf.concat([old, last], 2), index, 2);
  };
  return {...withNewTokens(kept, mask, count), k: put(kept.k, k), v: put(kept.v, v)};
}

/** The same where the keys and values are in place already. */
export function withNewTokens(kept: KeptKeys, mask: tf.Tensor2D | null, count: number): KeptKeys {
  const capacity = kept.k.shape[2];
  const position = kept.position + count;
  const wholeFrom = mask ? position : kept.wholeFrom;
  const known = {...kept, position, wholeFrom, exists: null};
  // those that do not exist have left the ring, or there were none
  if (position - wholeFrom >= capacity || (!mask && !kept.exists)) return known;
  const batch = kept.k.shape[0];
  const fresh = Math.min(count, capacity);
  const old = kept.exists ?? tf.ones([batch, capacity]);
  const last: tf.Tensor = mask
    ? tf.cast(tf.slice(mask, [0, count - fresh], [batch, fresh]), 'float32')
    : tf.ones([batch, fresh]);
  const index = placesAfter(kept.position, count, capacity);
  return {...known, exists: tf.gather(tf.concat([old, last as tf.Tensor2D], 1), index, 1)};
}

/** Where what each place holds after `count` tokens more lies in [the ring, the last of the new ones]: [K] */
function placesAfter(position: number, count: number, capacity: number): tf.Tensor1D {
  const firstFresh = position + count - Math.min(count, capacity);
  const from = tokensInPlaces(position + count, capacity).map((token, place) =>
    token >= firstFresh ? capacity + token - firstFresh : place,
  );
  return tf.tensor1d(from, 'int32');
}
