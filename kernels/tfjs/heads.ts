/** On wasm the heads of tokens in one pass, where ops cut the parts out, or put them together, and turn each. */
import * as tf from '@tensorflow/tfjs';

import {
  HeadSizes,
  MERGE_HEADS,
  SPLIT_HEADS,
  mergeHeadsByOps,
  splitHeadsByOps,
} from '../../src/nn/attend_heads';
import {kernelResult} from '../../src/nn/kernel_result';
import {direct, directAll} from '../program/direct';
import type {Exports} from '../program/module';
import {enter} from '../wasm';
import {registerOwn} from './own_kernels';

/** Copies rows of a head between where all are, [n][parts · h · d], and where it is alone, [n][d]. */
type Copy = (program: Exports, among: number, apart: number, alone: number) => void;

/** For each head of each part; of a part's beginning in either. */
function eachHead({batch, n, heads, dimHead}: HeadSizes, parts: number, copy: Copy) {
  const bytes = 4 * dimHead;
  const apart = parts * heads * bytes;
  return (program: Exports, among: number, alone: number[]) => {
    for (const [part, at] of alone.entries()) {
      for (let head = 0; head < batch * heads; head++) {
        const [b, h] = [Math.floor(head / heads), head % heads];
        copy(
          program,
          among + b * n * apart + (part * heads + h) * bytes,
          apart,
          at + head * n * bytes,
        );
      }
    }
  };
}

const splitHeads: tf.KernelFunc = ({inputs, attrs, backend}) => {
  const [x] = Object.values(inputs) as tf.Tensor[];
  const sizes = attrs as unknown as HeadSizes;
  const {batch, n, heads, dimHead} = sizes;
  const parts = x.size / (batch * n * heads * dimHead);
  const shapes = Array.from({length: parts}, () => [batch, heads, n, dimHead]);
  const copy = eachHead(sizes, parts, (program, among, apart, alone) =>
    program.copyRows(among, apart, n, 4 * dimHead, alone, 4 * dimHead),
  );
  const made = directAll(enter, backend, [x], shapes, (program, [at], to) => copy(program, at, to));
  return made ?? splitHeadsByOps(x, sizes).map((part) => kernelResult(backend, part));
};

const mergeHeads: tf.KernelFunc = ({inputs, attrs, backend}) => {
  const parts = Object.values(inputs) as tf.Tensor[];
  const sizes = attrs as unknown as HeadSizes;
  const {batch, n, heads, dimHead} = sizes;
  const shape = [batch * n, parts.length * heads * dimHead];
  const copy = eachHead(sizes, parts.length, (program, among, apart, alone) =>
    program.copyRows(alone, 4 * dimHead, n, 4 * dimHead, among, apart),
  );
  const made = direct(enter, backend, parts, shape, (program, at, to) => copy(program, to, at));
  return made ?? kernelResult(backend, mergeHeadsByOps(parts, sizes));
};

export const registerHeads = () =>
  registerOwn([
    {kernelName: SPLIT_HEADS, backendName: 'wasm', kernelFunc: splitHeads},
    {kernelName: MERGE_HEADS, backendName: 'wasm', kernelFunc: mergeHeads},
  ]);
