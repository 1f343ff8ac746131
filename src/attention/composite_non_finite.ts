/**
 * NaN and infinities in the composite. What is not visible does not count, but a weight of 0 times
 * NaN is NaN, and a product of matrices has all of them. So the composite computes with zeros for
 * what is not finite, and adds here what that would have given to the rows that it reaches:
 *
 *  - a query's weights are no numbers if it, a key that it sees, or their bias is not finite;
 *  - its output gets what such values hold if it sees one; NaN if its weights are no numbers;
 *  - gradients are NaN where they come of such weights, values or upstream gradients.
 *
 * Flags are 1 or 0, [b, W, w, 1] for queries and [b, N, 1] for tokens. None has a slope.
 */
import * as tf from '@tensorflow/tfjs';

import type {Sequences} from './composite_sequences';
import type {Tables} from './composite_weights';
import {badBias} from './finite';
import type {Problem} from './problem';
import {bucket, foldBack, layoutOf, lookAround, unbucket} from './windows';

/**
 * What is to be added to the output, [b, N, dv]. A query that sees a value that is not finite gets
 * what all values of its context hold, since to ask each channel who sees it would take half as long
 * again as all else.
 */
export function outputAddend(
  given: Sequences,
  finite: Sequences,
  tables: Tables,
  p: Problem,
): tf.Tensor3D {
  return constant(given, () => {
    const {weights, values} = tf.tidy(() => reachOf(given, tables, p));
    const rest = bucket(tf.sub(given.v, finite.v), p); // 0 for what is finite
    const ofWindow = tf.sum(rest, 2, true) as tf.Tensor4D; // [b, W, 1, dv]
    const ofContext = tf.sum(lookAround(ofWindow, p), 2, true);
    const taken = tf.where(tf.cast(values, 'bool'), ofContext, 0);
    return unbucket(tf.add(taken, nanWhere(weights)) as tf.Tensor4D);
  });
}

/** What is to be added to the gradients of {@link Sequences}, of one channel or the bias's shape. */
export function gradientAddends(
  given: Sequences,
  dout: tf.Tensor3D,
  tables: Tables,
  p: Problem,
): tf.Tensor[] {
  const sequences = constant<tf.Tensor3D>(given, () => {
    const {seen, weights, values, alone} = reachOf(given, tables, p);
    const upstream = bucket(bad(dout), p);
    const scores = either(weights, values, tf.mul(upstream, seen)); // their gradients are no numbers
    const reached = seenBy(tf.concat([scores, either(weights, upstream)], 3), tables, p);
    const [ofKeys, ofValues] = tf.split(reached, 2, 2);
    const own = unbucket(tf.mul(upstream, alone) as tf.Tensor4D);
    const ofQueries = unbucket(scores as tf.Tensor4D);
    return nanWhere(tf.concat([ofQueries, ofKeys, either(ofValues, own)], 2));
  });
  const [ofQueries, ofKeys, ofValues] = tf.split(sequences, 3, 2);
  if (!given.bias) return [ofQueries, ofKeys, ofValues];
  const ofBias = constant(given, () => {
    const {b, windows} = layoutOf(p);
    const byHead = [b / p.biasHeads, p.biasHeads, windows, p.windowSize];
    // no cast, which TF.js's webgpu backend cannot transpose
    const spoilt = tf.where(tf.isNaN(tf.reshape(ofQueries, byHead)), 1, 0);
    const rows = tf.expandDims(tf.max(spoilt, [0, 2]), 2);
    return nanWhere(tf.mul(rows, others(tables, null, p))); // [h, w, C]
  });
  return [ofQueries, ofKeys, ofValues, ofBias];
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
  const stack = tf.concat([keys, values, tf.onesLike(keys)], 2) as tf.Tensor3D;
  const [badKeys, seenValues, seen] = tf.split(sees(stack, tables, null, p), 3, 3);
  // −∞ in the bias leaves a value no weight, but makes a number of no key that is none
  const badValues = given.bias ? sees(values, tables, given.bias, p) : seenValues;
  // under sharedQk a token that sees another takes nothing of itself
  const alone = tables.self ? tf.sub(1, seen) : tf.zerosLike(seen);
  const spoilt = [badKeys, tf.mul(bucket(queries, p), seen)];
  if (given.bias) spoilt.push(seesBadBias(given.bias, tables, p));
  const own = tables.self ? [tf.mul(alone, bucket(values, p))] : [];
  const real = existingQueries(p);
  const weights = tf.mul(either(...spoilt), real);
  return {seen, alone, weights, values: tf.mul(either(badValues, ...own), real)};
}

type Bias = Sequences['bias'];

/** Whether a query sees a key so flagged: [b, N, m] -> [b, W, w, m] */
function sees(keys: tf.Tensor3D, tables: Tables, bias: Bias, p: Problem): tf.Tensor4D {
  const slots = tf.mul(lookAround(bucket(keys, p), p), existingSlots(tables));
  return tf.minimum(tf.matMul(othersOfHeads(tables, bias, p), slots), 1); // [., 1, w, C] x [b, W, C, m]
}

/** Whether a token is seen by a query so flagged: [b, W, w, m] -> [b, N, m] */
function seenBy(queries: tf.Tensor, tables: Tables, p: Problem): tf.Tensor3D {
  const slots = tf.matMul(othersOfHeads(tables, null, p), queries, true); // [b, W, C, m]
  const counts = tf.mul(slots, existingSlots(tables)) as tf.Tensor4D;
  return tf.minimum(unbucket(foldBack(counts, p)), 1);
}

function seesBadBias(bias: tf.Tensor3D, tables: Tables, p: Problem): tf.Tensor {
  const {b} = layoutOf(p);
  const spoilt = tf.mul(tf.cast(badBias(bias), 'float32'), others(tables, null, p)); // [h, w, C]
  const ofHeads = tf.tile(spoilt, [b / p.biasHeads, 1, 1]);
  const slots = tf.mul(tf.squeeze(tables.existing, [2]), tf.ones([b, 1, 1]));
  const counts = tf.matMul(slots, ofHeads, false, true); // [b, W, C] x [b, w, C]
  return tf.minimum(tf.expandDims(counts, 3), 1);
}

/** 1 for the queries that are not padding, whose bias may be anything: [1, W, w, 1] */
function existingQueries(p: Problem): tf.Tensor4D {
  const {padded} = layoutOf(p);
  const queries = tf.pad(tf.ones([1, p.length, 1]), [[0, 0], [0, padded - p.length], [0, 0]]); // prettier-ignore
  return bucket(queries as tf.Tensor3D, p);
}

/** [b or 1, W, C, 1] */
function existingSlots({existing}: Tables): tf.Tensor4D {
  const [b, windows, , context] = existing.shape;
  return tf.reshape(existing, [b, windows, context, 1]);
}

/**
 * 1 for the keys that a row sees, itself under sharedQk aside: [1, w, C]; with a bias [h, w, C], without
 * those that it hides by −∞.
 */
function others({band, self}: Tables, bias: Bias, p: Problem): tf.Tensor3D {
  const seen = band ?? tf.ones([p.windowSize, layoutOf(p).context]);
  const apart = self ? tf.mul(seen, tf.sub(1, self)) : seen;
  return bias
    ? tf.mul(apart, tf.cast(tf.notEqual(bias, -Infinity), 'float32'))
    : (tf.expandDims(apart, 0) as tf.Tensor3D);
}

/** {@link others} as batches of all heads: [1 or b, 1, w, C] */
function othersOfHeads(tables: Tables, bias: Bias, p: Problem): tf.Tensor4D {
  const ofBias = others(tables, bias, p);
  const copies = bias ? layoutOf(p).b / p.biasHeads : 1;
  return tf.expandDims(tf.tile(ofBias, [copies, 1, 1]), 1) as tf.Tensor4D;
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
