/** What the view Compare measures: one configuration for every backend and length. Knows no TF.js. */

export const CASE = {heads: 4, headDim: 64, windowSize: 128, causal: true} as const;

/** Who computes it: the kernels of the package, or ordinary ops of TF.js. */
export type By = 'fused' | 'composite';

export interface Setting {
  by: By;
  /** Tokens. */
  n: number;
  /** Whether gradients of queries, keys and values are computed as well. */
  gradient: boolean;
}

export interface Point {
  /** Of a call, until one of its numbers has been read: the median of `runs`. */
  ms: number;
  runs: number;
  /** The most that the tensors of TF.js held during a call, inputs and outputs included. */
  bytes: number;
}

/** A call that takes longer is measured once, and longer texts are not. */
export const BUDGET_MS = 2000;
