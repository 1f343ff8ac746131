/** The two gradients that are one text: what differs where queries are owned, or keys. */
import {list} from '../wgsl/text';
import type {BackwardVariant} from './tile';

/** Sums of a thread's rows: `name`i_c += `factors` · rows met of this kind, `count` fours of channels. */
export interface Sum {
  name: string;
  factors: string;
  kind: Kind;
  count: number;
}

/** Rows of d channels (queries, keys), or of dv (dout, values). */
export type Kind = 0 | 1;

export interface Side {
  /** Names of the tensors, in the order in which they are bound: the first two are written. */
  bindings: readonly string[];
  /** Functions of an owned row: the first that it meets, and one past the last. */
  band: readonly [string, string];
  /** The position from which angles count. */
  origin: string;
  /** The four channels c of an owned row and of a met one, by kind. */
  own: readonly [string, string];
  met: readonly [string, string];
  sums: readonly Sum[];
  /** What has names of its own outside of main: workgroup memory and functions. */
  declarations: string;
  /** Before the tiles, of owned row i; and at each tile. */
  beforeRow(i: number): string;
  atTile: string;
  /** Of owned row i and the four that are met: tokens, and what is known of the queries. */
  query(i: number): string;
  key(i: number): string;
  factor(i: number): string;
  largest(i: number): string;
  share(i: number): string;
  mean(i: number): string;
  kept(i: number): string;
  /** What becomes of `weight`, and of `slope` (dS) before the score of a token with itself has none. */
  weigh(i: number): string;
  balance(i: number): string;
  /** What is written for others of row i to add up, by name. */
  factors(i: number): Record<string, string>;
  finish: string;
}

/** Expressions of rows, of whose token `position` is the place in its head. */
export function channels({rotary}: BackwardVariant) {
  return {
    query: rotary ? 'turnedQuery(row, c, (position - origin) * u.headDim)' : 'query(row, c)',
    key: rotary
      ? 'turnedKey(row, c, u.keyAngles + (position - origin) * u.headDim)'
      : 'key(row, c)',
    upstream: 'upstream(row, c)',
    value: 'value(row, c)',
  };
}

export function vector(type: 'f32' | 'u32', item: (j: number) => string): string {
  return `vec4<${type}>(${list(4, item)})`;
}
