/** Which input of a layer is which: optional inputs go by position, told apart by rank and dtype. */
import * as tf from '@tensorflow/tfjs';

import {failType, refuse, show} from '../src/errors';

export interface Optional {
  mask: tf.Tensor | null;
  attnBias: tf.Tensor | null;
}

export type Inputs = tf.Tensor | tf.Tensor[];

export function listOf(inputs: Inputs): tf.Tensor[] {
  return Array.isArray(inputs) ? inputs : [inputs];
}

/**
 * Reads what follows the main inputs: nothing, [mask], [bias] or [mask, bias]. A mask is bool, a
 * bias has three axes; what is neither is most likely a mask from a tf.input without its dtype.
 */
export function readOptional(fn: string, rest: tf.Tensor[], usage: string): Optional {
  const neither = rest.find(({dtype, rank}) => dtype !== 'bool' && rank === 2);
  if (neither !== undefined) {
    const remedy = `in a model, tf.input({shape: [n], dtype: 'bool'})`;
    failType(fn, `a mask must be bool (${remedy}) and a bias [h, w, C]`, neither);
  }
  const [first, second] = rest;
  if (rest.length === 0) return {mask: null, attnBias: null};
  if (rest.length === 1) {
    return first.dtype === 'bool' ? {mask: first, attnBias: null} : {mask: null, attnBias: first};
  }
  if (rest.length > 2 || first.dtype !== 'bool' || second.dtype === 'bool') {
    refuse(fn, `inputs must be ${usage}, got ${describe(rest)} after the main inputs`);
  }
  return {mask: first, attnBias: second};
}

export function describe(inputs: tf.Tensor[]): string {
  return `[${inputs.map((x) => show(x)).join(', ')}]`;
}
