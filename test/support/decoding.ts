/** A case given token by token, in chunks of any sizes, to an attention that keeps what can be seen. */
import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';

import type {Implementation} from '../../src';
import {resolveConfig} from '../../src/attention/config';
import {decodeProblem, decodeStep, keepNone} from '../../src/attention/decode_step';
import type {KeptKeys} from '../../src/attention/kept_keys';
import {arbitraryCase} from './arbitrary';
import type {Case} from './cases';
import {configOf, generator, type tensorsOf} from './inputs';

/** Cases that decode, up to three windows longer than all that is kept. */
export function arbitraryDecoding(): fc.Arbitrary<{c: Case; sizes: number[]}> {
  const sizes = {
    window: fc.integer({min: 1, max: 5}),
    back: fc.integer({min: 0, max: 2}),
    beyond: fc.integer({min: -12, max: 15}),
    leading: fc.constantFrom<number[]>([1, 1], [2, 3], [3, 1], [1, 2]),
    chunks: fc.integer(),
  };
  return fc.record(sizes).chain(({window, back, beyond, leading, chunks}) => {
    const tokens = Math.max(1, (1 + back) * window + Math.min(beyond, 3 * window));
    const fixed = {causal: true, forward: 0, dropout: false, large: null, callWindow: undefined};
    return arbitraryCase({...fixed, window, back, leading, tokens}).map((c) => ({
      c,
      sizes: chunkSizes(tokens, window, chunks),
    }));
  });
}

/** Sizes that add up to so many tokens: ones, those of a few windows, and none. */
export function chunkSizes(tokens: number, window: number, seed: number): number[] {
  const random = generator(seed);
  const most = [1, 1, 2, window, 3 * window][Math.floor(5 * random())];
  const sizes = [];
  for (let left = tokens; left > 0; left -= sizes[sizes.length - 1]) {
    sizes.push(Math.min(left, Math.floor(random() * (most + 1)) || +(random() < 0.9)));
  }
  return sizes;
}

/** All outputs, [B, h, n, dv]; what is kept is disposed. */
export function decoded(
  c: Case,
  {inputs, call}: ReturnType<typeof tensorsOf>,
  sizes: readonly number[],
  implementation: Implementation,
  start: (kept: KeptKeys) => KeptKeys = (kept) => kept,
): tf.Tensor4D {
  const [q, k, v, attnBias = null] = inputs as tf.Tensor4D[];
  const config = resolveConfig('test', {...configOf(c), implementation});
  const shapes = {q: q.shape, k: k.shape, v: v.shape};
  return tf.tidy(() => {
    let kept = start(keepNone(decodeProblem('test', shapes, config)));
    const outputs: tf.Tensor4D[] = [];
    let at = 0;
    for (const size of sizes) {
      const part = (x: tf.Tensor4D) => tf.slice4d(x, [0, 0, at, 0], [-1, -1, size, -1]);
      const batch = q.shape[0];
      const rows = call.mask && tf.slice(call.mask, [0, at], [call.mask.shape[0], size]);
      const mask = rows && ofBatch(rows, batch);
      const step = decodeStep('test', [part(q), part(k), part(v)], kept, config, {mask, attnBias});
      outputs.push(step.out);
      kept = step.kept;
      at += size;
    }
    return tf.concat(outputs, 2);
  });
}

function ofBatch(mask: tf.Tensor, batch: number): tf.Tensor {
  if (mask.shape[0] === batch) return mask;
  return tf.concat(Array.from({length: batch}, () => mask));
}
