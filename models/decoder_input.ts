/** What a decoder is fed: ids or vectors and a mask, as tensors or as lists, checked before a tensor is made of them. */
import * as tf from '@tensorflow/tfjs';

import {fail, failType} from '../src/check/errors';
import {checkTensor} from '../src/check/tensors';

/** Ids [B, m], whole numbers in [0, numTokens): an int32 tensor, lists, or with B 1 one list. */
export type TokenIds = tf.Tensor | ArrayLike<number> | readonly ArrayLike<number>[];
/** [B, m], true where a token exists: a bool tensor, lists, or with B 1 one list. */
export type TokenMask = tf.Tensor | ArrayLike<boolean> | readonly ArrayLike<boolean>[];

/** Checked: its length m, and what makes tensors of it. */
export interface Fed {
  readonly length: number;
  /** [B, m] int32, or [B, m, dim] float32 */
  input(): tf.Tensor;
  /** bool [B, m]; null where all tokens exist. */
  mask(): tf.Tensor2D | null;
}

export interface FedShape {
  batch: number;
  /** Number of different tokens, or null for vectors. */
  numTokens: number | null;
  /** Size of a vector. */
  dim: number;
  /** Whether token 0 does not exist. */
  maskZero: boolean;
}

export function checkFed(fn: string, given: unknown, mask: unknown, shape: FedShape): Fed {
  const {batch, numTokens, maskZero} = shape;
  if (numTokens === null) checkVectors(fn, given, shape);
  else if (given instanceof tf.Tensor) checkIdTensor(fn, given, batch);
  const ids = given instanceof tf.Tensor ? null : rowsOf(fn, 'ids', given, batch, isId(numTokens!));
  const length = ids ? ids[0].length : (given as tf.Tensor).shape[1]!;
  const isThere = checkMask(fn, mask, batch, length);
  const input = () =>
    ids ? tf.tensor2d(ids.flat(), [batch, length], 'int32') : (given as tf.Tensor);
  return {
    length,
    input,
    mask() {
      const told = isThere();
      const padded = maskZero && (ids === null || ids.some((row) => row.includes(0)));
      if (!padded) return told;
      const notZero = tf.notEqual(input(), tf.scalar(0, 'int32'));
      return (told ? tf.logicalAnd(told, notZero) : notZero) as tf.Tensor2D;
    },
  };
}

function checkVectors(fn: string, x: unknown, {batch, dim}: FedShape): void {
  checkTensor(fn, 'x', x, 'float32');
  if (x.rank !== 3 || x.shape[0] !== batch || x.shape[2] !== dim) {
    fail(fn, `x must have the shape [B, m, dim] = [${batch}, m, ${dim}]`, x);
  }
}

function checkIdTensor(fn: string, ids: tf.Tensor, batch: number): void {
  checkTensor(fn, 'ids', ids, 'int32');
  if (ids.rank !== 2 || ids.shape[0] !== batch) {
    fail(fn, `ids must have the shape [B, m] with B ${batch}`, ids);
  }
}

function isId(numTokens: number) {
  return {
    words: `whole numbers from 0 to ${numTokens - 1}`,
    holds: (x: unknown): x is number =>
      Number.isInteger(x) && (x as number) >= 0 && (x as number) < numTokens,
  };
}

const IS_FLAG = {
  words: 'true or false',
  holds: (x: unknown): x is boolean => typeof x === 'boolean',
};

/** What makes the mask, or null if it hides nothing. */
function checkMask(
  fn: string,
  mask: unknown,
  batch: number,
  length: number,
): () => tf.Tensor2D | null {
  if (mask === null) return () => null;
  if (mask instanceof tf.Tensor) {
    checkTensor(fn, 'mask', mask, 'bool');
    if (mask.rank !== 2 || mask.shape[0] !== batch || mask.shape[1] !== length) {
      fail(fn, `mask must have the shape [B, m] = [${batch}, ${length}]`, mask);
    }
    return () => mask as tf.Tensor2D;
  }
  const rows = rowsOf(fn, 'mask', mask, batch, IS_FLAG);
  if (rows[0].length !== length) {
    fail(fn, `mask must have as many tokens as are fed, ${length}`, rows[0].length);
  }
  if (rows.every((row) => row.every(Boolean))) return () => null;
  return () => tf.tensor2d(rows.map((row) => row.map(Number)).flat(), [batch, length], 'bool');
}

/** B rows of one length, as plain lists. */
function rowsOf<T>(
  fn: string,
  name: string,
  given: unknown,
  batch: number,
  {words, holds}: {words: string; holds: (x: unknown) => x is T},
): T[][] {
  const one = batch === 1 ? ', or one list' : '';
  const rule = `${name} must be a tensor [B, m], or ${batch} lists of one length${one}, of ${words}`;
  if (!isList(given)) failType(fn, rule, given);
  const listed = Array.from(given);
  const lists = listed.every(isList) && listed.length > 0 ? listed : [listed];
  const rows = lists.map((row) => Array.from(row));
  const length = rows[0].length;
  if (rows.length !== batch || rows.some((row) => row.length !== length)) fail(fn, rule, given);
  for (const row of rows) {
    for (const value of row) if (!holds(value)) fail(fn, rule, value);
  }
  return rows as T[][];
}

function isList(x: unknown): x is ArrayLike<unknown> {
  return Array.isArray(x) || (ArrayBuffer.isView(x) && !(x instanceof DataView));
}
