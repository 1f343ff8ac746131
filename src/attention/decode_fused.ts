/**
 * The contract of a decode step with the backends that compute it in one kernel: one new token of each
 * sequence against the ring of keys that it sees.
 */
import * as tf from '@tensorflow/tfjs';

import {passingAngles} from '../rotary/angles';
import {hostXposScale} from '../rotary/xpos';
import {DECODE, hasFusedDecoding} from './fused';
import {KeptKeys, firstSeen, withNewTokens} from './kept_keys';
import type {Problem} from './problem';

/**
 * The tensors of the kernel: q, k [B, h, 1, d] and v [B, h, 1, dv] as they were given; the rings of
 * {@link KeptKeys}, **into which the kernel writes** the new key and value; exists [B, K], with the
 * new token; the bias as in a forward pass.
 */
export interface DecodeInputs {
  q: tf.TensorInfo;
  k: tf.TensorInfo;
  v: tf.TensorInfo;
  keys: tf.TensorInfo;
  values: tf.TensorInfo;
  exists?: tf.TensorInfo;
  bias?: tf.TensorInfo;
}

/** What the kernel is told besides tensors. */
export interface DecodeAttrs {
  problem: Problem;
  /** Of the inputs, in their order. */
  names: (keyof DecodeInputs)[];
  /** Places of a ring, K; that of the new token, and that of the first it sees; how many it sees. */
  capacity: number;
  newest: number;
  first: number;
  seen: number;
  /** Its row in a window, and the slot of the first key that it sees. */
  row: number;
  slot: number;
  /** Cosines and then sines of the new token's angles, float32 [d] each; those of the query with its xpos scale. */
  queryAngles: Float32Array | null;
  keyAngles: Float32Array | null;
  /** xpos scales of keys by slot, float32 [C][d / 2]: the same array for the same scales. */
  keyScales: Float32Array | null;
}

/** Whether a kernel of the current backend computes it. */
export function canDecodeFused(p: Problem): boolean {
  return p.length === 1 && hasFusedDecoding(p);
}

/** The output [B, h, 1, dv], and what is kept, in the same rings. */
export function decodeFused(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  old: KeptKeys,
  p: Problem,
): {out: tf.Tensor4D; kept: KeptKeys} {
  const kept = withNewTokens(old, p.mask, 1);
  const tensors: tf.Tensor[] = [q, k, v, kept.k, kept.v];
  const names: DecodeAttrs['names'] = ['q', 'k', 'v', 'keys', 'values'];
  if (kept.exists) {
    tensors.push(kept.exists);
    names.push('exists');
  }
  if (p.bias) {
    tensors.push(p.bias);
    names.push('bias');
  }
  const attrs = {problem: p, names, ...placesOf(old, p), ...anglesAt(old.position, p)};
  const inputs = tensors as unknown as tf.NamedTensorMap;
  const out = tf.engine().runKernel(DECODE, inputs, attrs as never) as tf.Tensor4D;
  return {out, kept};
}

function placesOf({position, k}: KeptKeys, p: Problem) {
  const capacity = k.shape[2];
  const first = Math.max(0, firstSeen(p, position));
  const window = Math.floor(position / p.windowSize);
  return {
    capacity,
    newest: position % capacity,
    first: first % capacity,
    seen: position + 1 - first,
    row: position % p.windowSize,
    slot: first - (window - p.lookBackward) * p.windowSize,
  };
}

function anglesAt(
  position: number,
  p: Problem,
): Pick<DecodeAttrs, 'queryAngles' | 'keyAngles' | 'keyScales'> {
  if (!p.rotary) return {queryAngles: null, keyAngles: null, keyScales: null};
  const {cos, sin} = passingAngles(position, 1, p.headDim);
  const keyAngles = new Float32Array(p.headDim);
  keyAngles.set(cos);
  keyAngles.set(sin, cos.length);
  if (p.xposBase === null) return {queryAngles: keyAngles, keyAngles, keyScales: null};
  const slot = p.context - p.windowSize + (position % p.windowSize);
  const scales = hostXposScale(p.context, p.headDim, p.xposBase, 1);
  const half = cos.length;
  const queryAngles = keyAngles.map((angle, c) => angle * scales[slot * half + (c % half)]);
  const keyScales = hostXposScale(p.context, p.headDim, p.xposBase, -1);
  return {queryAngles, keyAngles, keyScales};
}
