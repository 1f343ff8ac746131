/** Calls large enough for threads and for blocks of 16 queries, in every option. */
import * as tf from '@tensorflow/tfjs';

import {LocalAttentionArgs, localAttention} from '../../src';
import type {LocalAttentionCall} from '../../src/attention/call';
import {digest} from './digest';

const N = 1560; // three chunks and a half
const HEADS = 3;
const D = 22;

export interface Shape {
  config: LocalAttentionArgs;
  n?: number;
  leading?: number[];
  call?: () => LocalAttentionCall;
  /** Heads of a bias. */
  bias?: number;
}

export const SHAPES: [string, Shape][] = [
  ['causal', {config: {windowSize: 260, causal: true}}],
  ['bidirectional, autopad', {config: {windowSize: 130, autopad: true}, n: 1555}],
  ['own window only', {config: {windowSize: 520, lookBackward: 0, lookForward: 0}, leading: [2, HEADS]}], // prettier-ignore
  ['look back 2', {config: {windowSize: 130, lookBackward: 2, causal: true}, leading: [2, HEADS]}],
  ['look back 1, forward 2', {config: {windowSize: 130, lookForward: 2}}],
  ['exact', {config: {windowSize: 130, exactWindowsize: true}}],
  ['exact, causal', {config: {windowSize: 260, exactWindowsize: true, causal: true}}],
  ['masked', {config: {windowSize: 130}, call: () => ({mask: everyThird(1)})}],
  ['biased', {config: {windowSize: 130}, leading: [2, HEADS], bias: HEADS}],
  ['one bias, causal', {config: {windowSize: 260, causal: true}, bias: 1}],
  ['shared qk', {config: {windowSize: 130, sharedQk: true}}],
  ['xpos', {config: {windowSize: 130, useXpos: true}}],
  ['no rotary', {config: {windowSize: 130, useRotaryPosEmb: false}}],
  ['dropout', {config: {windowSize: 130, dropout: 0.3}, call: () => ({training: true, seed: 5})}],
  ['all at once', {config: {windowSize: 120, useXpos: true, sharedQk: true, exactWindowsize: true, dropout: 0.2}, bias: HEADS, leading: [2, HEADS], call: () => ({training: true, seed: 6, mask: everyThird(2)})}], // prettier-ignore
];

/** The results of one call: output and gradients. */
export function bitsOf(shape: Shape): string[] {
  const {config, n = N, leading = [HEADS], call = () => ({}), bias} = shape;
  return tf.tidy(() => {
    let made = 0;
    const make = (...sizes: number[]) => {
      const size = sizes.reduce((product, length) => product * length, 1);
      return tf.reshape(tf.sin(tf.mul(tf.range(0, size), 1.1 + made++)), sizes);
    };
    const inputs = [0, 1, 2].map(() => make(...leading, n, D));
    const {windowSize: w, causal} = config;
    if (bias) inputs.push(make(bias, w, (causal ? 2 : 3) * w));
    const attend = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, attnBias?: tf.Tensor) =>
      localAttention(q, k, v, {...config, implementation: 'fused'}, {...call(), attnBias});
    const dout = make(...leading, n, D);
    const {value, grads} = tf.valueAndGrads(attend as (...x: tf.Tensor[]) => tf.Tensor)(inputs, dout); // prettier-ignore
    return [value, ...grads].map(digest);
  });
}

/** A mask [rows, N] that hides every third key. */
function everyThird(rows: number): tf.Tensor {
  const kept = Uint8Array.from({length: rows * N}, (_, at) => +(at % 3 !== 0));
  return tf.tensor2d(kept, [rows, N], 'bool');
}
