/** What both sides are told. */
import type {LocalTransformerArgs} from 'tfjs-local-attention';

/** Of adam. */
export const RATE = 1e-4;

/** A model, and what it is given. */
export interface Shape {
  dim: number;
  depth: number;
  heads: number;
  window: number;
  streams: number;
  vocabulary: number;
  /** Tokens that a step trains on, one text of them. */
  length: number;
  /** Tokens that it writes on after. */
  prompt: number;
}

export interface Load {
  op: 'load';
  shape: Shape;
  threads: number;
  /** A file of safetensors. */
  weights: string;
  /** [length] */
  ids: number[];
}

export type Message =
  Load | {op: 'train'; calls: number} | {op: 'generate'; tokens: number} | {op: 'memory'};

/** 64 is the size of a head on both sides. */
export function configOf(shape: Shape): LocalTransformerArgs {
  const {dim, depth, heads, window, streams, vocabulary, length} = shape;
  return {
    ...{numTokens: vocabulary, maxSeqLen: length, dim, depth, heads},
    ...{localAttnWindowSize: window, numResidualStreams: streams, seed: 1},
  };
}
