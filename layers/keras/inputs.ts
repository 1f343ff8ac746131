/** Which input of a layer is which: optional inputs go by position, told apart by rank and dtype. */
import * as tf from '@tensorflow/tfjs';

import {LocalAttentionConfig, contextOf} from '../../src/attention/config';
import {fail, failType, refuse, show} from '../../src/check/errors';

export type AnyTensor = tf.Tensor | tf.SymbolicTensor;
export type Inputs = tf.Tensor | tf.Tensor[];

export interface Optional<T> {
  mask: T | null;
  attnBias: T | null;
}

export function listOf(inputs: Inputs): tf.Tensor[] {
  return Array.isArray(inputs) ? inputs : [inputs];
}

/**
 * Reads what follows the main inputs: nothing, [mask], [bias] or [mask, bias]. A mask is bool, a
 * bias has three axes; what is neither is most likely a mask from a tf.input without its dtype.
 */
export function readOptional<T extends AnyTensor>(
  fn: string,
  rest: T[],
  usage: string,
): Optional<T> {
  const neither = rest.find((x) => !isMask(x) && x.rank === 2);
  if (neither !== undefined) {
    const remedy = `in a model, tf.input({shape: [n], dtype: 'bool'})`;
    failType(fn, `a mask must be bool (${remedy}) and a bias [h, w, C]`, neither);
  }
  const [first, second] = rest;
  if (rest.length === 0) return {mask: null, attnBias: null};
  if (rest.length === 1) {
    return isMask(first) ? {mask: first, attnBias: null} : {mask: null, attnBias: first};
  }
  if (rest.length > 2 || !isMask(first) || isMask(second)) {
    refuse(fn, `inputs must be ${usage}, got ${describe(rest)} after the main inputs`);
  }
  return {mask: first, attnBias: second};
}

/** Whether `x` is bool, or may be: TF.js takes all that layers make for float32 beforehand. */
function isMask(x: AnyTensor): boolean {
  return x.dtype === 'bool' || (!hasKnownType(x) && x.rank === 2);
}

export function describe(inputs: AnyTensor[]): string {
  return `[${inputs.map((x) => show(x)).join(', ')}]`;
}

/** Throws unless there is one input. */
export function checkOne(fn: string, usage: string, inputs: AnyTensor[]): void {
  if (inputs.length !== 1) refuse(fn, `inputs must be ${usage}, got ${describe(inputs)}`);
}

/** Throws if a symbolic input is known not to be float32. */
export function checkSymbolicType(fn: string, name: string, x: tf.SymbolicTensor): void {
  if (!hasKnownType(x) || x.dtype === 'float32') return;
  failType(fn, `${name} must be float32 (tf.input({shape, dtype: 'float32'}) makes it so)`, x);
}

/**
 * Throws if `rest`, the optional inputs of a symbolic call, can never fit `x` [B, ..., n, d]; unknown
 * sizes fit anything.
 */
export function checkSymbolicOptional(
  fn: string,
  rest: tf.SymbolicTensor[],
  usage: string,
  x: tf.Shape,
  config: LocalAttentionConfig,
): void {
  const {mask, attnBias} = readOptional(fn, rest, usage);
  const n = x[x.length - 2];
  const w = config.windowSize;
  const context = contextOf(fn, config, w);
  if (mask && (mask.rank !== 2 || !agree(mask.shape[1], n))) {
    fail(fn, `mask must have the shape [B, n] with n ${n}`, mask.shape);
  }
  if (!attnBias) return;
  const [, rows, slots] = attnBias.shape;
  if (attnBias.rank !== 3 || !agree(rows, w) || !agree(slots, context)) {
    fail(
      fn,
      `attnBias must have the shape [h, ${w}, ${context}] (window × context)`,
      attnBias.shape,
    );
  }
}

function agree(a: number | null, b: number | null): boolean {
  return a === null || b === null || a === b;
}

function hasKnownType(x: AnyTensor): boolean {
  return !(x instanceof tf.SymbolicTensor) || x.sourceLayer.getClassName() === 'InputLayer';
}
