/**
 * NaN and infinities in the composite. What is not visible does not count, but a weight of 0 times
 * NaN is NaN, and a product of matrices has all of them. So the composite computes with zeros for
 * what is not finite, and adds here what that would have given to the rows that it reaches:
 *
 *  - a query's weights are no numbers if it, a key that it sees, or their bias is not finite;
 *  - its output gets what such values hold if it sees one; NaN if its weights are no numbers;
 *  - gradients are NaN where they come of such weights, values or upstream gradients.
 *
 * What a query sees is a range of keys, and who sees a key a range of queries, so that they are
 * counted by running sums. Flags are 1 or 0, a channel each, [b, N, 1]. None has a slope.
 */
import * as tf from '@tensorflow/tfjs';

import type {Sequences} from './composite_sequences';
import type {Tables} from './composite_weights';
import {badBias, finiteOnly} from './finite';
import type {Problem} from './problem';
import {Range, keysOf, queriesOf} from './visibility';
import {bucket, layoutOf, lookAround, unbucket} from './windows';

/**
 * What is to be added to the output, [b, N, dv]. A query that sees a value that is not finite gets
 * what all values of its context hold, since to ask each channel who sees it would take half as long
 * again as all else.
 */
export function outputAddend(given: Sequences, tables: Tables, p: Problem): tf.Tensor3D {
  return constant(given, () => {
    const {weights, values} = tf.tidy(() => reachOf(given, tables, p));
    const rest = bucket(tf.sub(given.v, finiteOnly(given.v)), p); // 0 for what is finite
    const ofWindow = tf.sum(rest, 2, true) as tf.Tensor4D; // [b, W, 1, dv]
    const ofContext = tf.sum(lookAround(ofWindow, p), 2, true);
    const sees = tf.cast(bucket(values as tf.Tensor3D, p), 'bool');
    const taken = unbucket(tf.where(sees, ofContext, 0) as tf.Tensor4D);
    return tf.add(taken, nanWhere(weights));
  });
}

/** What is to be added to the gradients of {@link Sequences}, of one channel or the bias's shape. */
export function gradientAddends(
  given: Sequences,
  dout: tf.Tensor3D,
  tables: Tables,
  p: Problem,
): tf.Tensor[] {
  const flags = () => {
    const {seen, weights, values, alone} = reachOf(given, tables, p);
    const upstream = bad(dout);
    const scores = either(weights, values, tf.mul(upstream, seen)); // their gradients are no numbers
    return {scores, weights: either(weights, upstream), own: tf.mul(upstream, alone)};
  };
  const sequences = constant(given, () => {
    const {scores, weights, own} = flags();
    const ofBoth = seenBy(tf.concat([scores, weights], 2) as tf.Tensor3D, tables, p);
    const [ofKeys, ofValues] = tf.split(ofBoth, 2, 2);
    return nanWhere(tf.concat([scores, ofKeys, either(ofValues, own)], 2));
  });
  const addends: tf.Tensor[] = [...tf.split(sequences, 3, 2)]; // a copy: the tape has the other
  if (given.bias) {
    const ofBias = constant(given, () => {
      const {b, windows} = layoutOf(p);
      const byHead = [b / p.biasHeads, p.biasHeads, windows, p.windowSize];
      const rows = tf.max(tf.reshape(flags().scores, byHead), [0, 2]);
      return nanWhere(tf.mul(tf.expandDims(rows, 2), others(tables, p))); // [h, w, C]
    });
    addends.push(ofBias);
  }
  return addends;
}

type Reach = {
  /** Sees a key, itself under sharedQk aside; sees only itself. */
  seen: tf.Tensor;
  alone: tf.Tensor;
  /** Has weights that are no numbers; sees values that are none. */
  weights: tf.Tensor;
  values: tf.Tensor;
};

function reachOf(given: Sequences, tables: Tables, p: Problem): Reach {
  const [queries, keys, values] = [given.q, given.k, given.v].map(bad);
  const stack = tf.concat([keys, values, existingTokens(tables, p)], 2) as tf.Tensor3D;
  const [badKeys, badValues, seen] = tf.split(sees(stack, tables, p), 3, 2);
  // under sharedQk a token that sees another takes nothing of itself
  const alone = tables.self ? tf.sub(1, seen) : tf.zerosLike(seen);
  const spoilt = [badKeys, tf.mul(queries, seen)];
  if (given.bias) spoilt.push(seesBadBias(given.bias, tables, p));
  return {
    seen,
    alone,
    weights: either(...spoilt),
    values: either(badValues, tf.mul(alone, values)),
  };
}

/** Whether a query sees a key so flagged. */
function sees(keys: tf.Tensor3D, tables: Tables, p: Problem): tf.Tensor3D {
  return counted(keys, (i) => keysOf(p, i), tables);
}

/** Whether a key is seen by a query so flagged. */
function seenBy(queries: tf.Tensor3D, tables: Tables, p: Problem): tf.Tensor3D {
  const seen = counted(queries, (j) => queriesOf(p, j), tables);
  return tf.mul<tf.Tensor3D>(seen, existingTokens(tables, p));
}

/** Whether there is a flag in the range of each token, its own under sharedQk aside: [b, N, m]. */
function counted(flags: tf.Tensor3D, range: (token: number) => Range, {self}: Tables): tf.Tensor3D {
  const tokens = flags.shape[1];
  const ranges = Array.from({length: tokens}, (_, token) => range(token));
  const sums = tf.pad(tf.cumsum(flags, 1), [[0, 0], [1, 0], [0, 0]]); // prettier-ignore
  const until = (at: 0 | 1) => {
    const ends = Int32Array.from(ranges, (one) => Math.min(tokens, Math.max(0, one[at])));
    return tf.gather(sums, tf.tensor1d(ends, 'int32'), 1);
  };
  const counts = tf.sub(until(1), until(0));
  return tf.clipByValue(self ? tf.sub(counts, flags) : counts, 0, 1) as tf.Tensor3D;
}

function seesBadBias(bias: tf.Tensor3D, tables: Tables, p: Problem): tf.Tensor {
  const {b, padded} = layoutOf(p);
  const spoilt = tf.mul(tf.cast(badBias(bias), 'float32'), others(tables, p)); // [h, w, C]
  const ofHeads = tf.tile(spoilt, [b / p.biasHeads, 1, 1]);
  const slots = tf.mul(tf.squeeze(tables.existing, [2]), tf.ones([b, 1, 1]));
  const counts = tf.matMul(slots, ofHeads, false, true); // [b, W, C] x [b, w, C]
  const queries = unbucket(tf.expandDims(tf.minimum(counts, 1), 3) as tf.Tensor4D);
  // what is padding may have any bias
  const real = tf.pad(tf.ones([1, p.length, 1]), [[0, 0], [0, padded - p.length], [0, 0]]); // prettier-ignore
  return tf.mul(queries, real);
}

/** 1 for the tokens that are in the sequence and not masked. */
function existingTokens({existing}: Tables, p: Problem): tf.Tensor {
  const {b, windows, back} = layoutOf(p);
  const w = p.windowSize;
  const own = tf.slice(existing, [0, 0, 0, back * w], [existing.shape[0], windows, 1, w]);
  return tf.mul(tf.reshape(own, [-1, windows * w, 1]), tf.ones([b, 1, 1]));
}

/** 1 for the keys that a row sees, itself under sharedQk aside: [w, C] */
function others({band, self}: Tables, p: Problem): tf.Tensor2D {
  const seen = band ?? tf.ones([p.windowSize, layoutOf(p).context]);
  return self ? tf.mul(seen, tf.sub(1, self)) : (seen as tf.Tensor2D);
}

/** Whether a row holds what is not finite: [b, N, c] -> [b, N, 1] */
function bad(x: tf.Tensor): tf.Tensor3D {
  return tf.sub(1, tf.min(tf.cast(tf.isFinite(x), 'float32'), -1, true));
}

function either(...flags: tf.Tensor[]): tf.Tensor {
  return flags.reduce((a, b) => tf.maximum(a, b));
}

function nanWhere(flags: tf.Tensor): tf.Tensor {
  return tf.where(tf.cast(flags, 'bool'), NaN, 0);
}

/** What `f` makes, as a constant: comparisons have no gradient in TF.js, not even zero. */
function constant<T extends tf.Tensor>({q, k, v, bias}: Sequences, f: () => tf.Tensor): T {
  const inputs = bias ? [q, k, v, bias] : [q, k, v];
  const shapes = inputs.map(({shape}) => shape); // the inputs themselves will be gone by then
  const gradFunc = () => shapes.map((shape) => tf.zeros(shape));
  return tf.customGrad(() => ({value: f(), gradFunc}))(...inputs) as T;
}
