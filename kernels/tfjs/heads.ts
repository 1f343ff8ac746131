/** The heads of tokens in one pass on wasm and cpu, where ops cut parts out, or put them together, and turn each. */
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
import {enter} from '../wasm';
import {MEMORIES} from './memories';
import {registerOwn} from './own_kernels';
import type {Values} from './wasm_backend';

/** For each head of each part, where it begins among all, [n][parts · h · d], and in its part, [h][n][d]. */
function eachHead(
  {batch, n, heads, dimHead}: HeadSizes,
  parts: number,
  copy: (part: number, among: number, alone: number) => void,
): void {
  const row = parts * heads * dimHead;
  for (let part = 0; part < parts; part++) {
    for (let b = 0; b < batch; b++) {
      for (let h = 0; h < heads; h++) {
        copy(part, b * n * row + (part * heads + h) * dimHead, (b * heads + h) * n * dimHead);
      }
    }
  }
}

const splitOnWasm: tf.KernelFunc = ({inputs, attrs, backend}) => {
  const {x, sizes, parts, shapes} = ofSplit(inputs, attrs);
  const bytes = 4 * sizes.dimHead;
  const made = directAll(enter, backend, [x], shapes, (program, [at], to) =>
    eachHead(
      sizes,
      parts,
      (part, among, alone) =>
      program.copyRows(at + 4 * among, parts * sizes.heads * bytes, sizes.n, bytes, to[part] + 4 * alone, bytes), // prettier-ignore
    ),
  );
  return made ?? splitHeadsByOps(x, sizes).map((part) => kernelResult(backend, part));
};

const mergeOnWasm: tf.KernelFunc = ({inputs, attrs, backend}) => {
  const {parts, sizes, shape} = ofMerge(inputs, attrs);
  const bytes = 4 * sizes.dimHead;
  const made = direct(enter, backend, parts, shape, (program, at, to) =>
    eachHead(sizes, parts.length, (part, among, alone) =>
      program.copyRows(at[part] + 4 * alone, bytes, sizes.n, bytes, to + 4 * among, 4 * shape[1]),
    ),
  );
  return made ?? kernelResult(backend, mergeHeadsByOps(parts, sizes));
};

const cpu = MEMORIES.find(({backend}) => backend === 'cpu')!;

const splitOnCpu: tf.KernelFunc = ({inputs, attrs, backend}) => {
  const {x, sizes, parts, shapes} = ofSplit(inputs, attrs);
  const {n, heads, dimHead} = sizes;
  const made = shapes.map((shape) => cpu.make(backend, shape, 'float32'));
  const [from, ...to] = [x, ...made].map((info) => cpu.values(backend, info));
  eachHead(sizes, parts, (part, among, alone) =>
    copyRows(from, among, parts * heads * dimHead, n, dimHead, to[part], alone, dimHead),
  );
  return made;
};

const mergeOnCpu: tf.KernelFunc = ({inputs, attrs, backend}) => {
  const {parts, sizes, shape} = ofMerge(inputs, attrs);
  const {n, dimHead} = sizes;
  const made = cpu.make(backend, shape, 'float32');
  const [to, ...from] = [made, ...parts].map((info) => cpu.values(backend, info));
  eachHead(sizes, parts.length, (part, among, alone) =>
    copyRows(from[part], alone, dimHead, n, dimHead, to, among, shape[1]),
  );
  return made;
};

/** Copies so many rows of so many numbers, which begin `apart` numbers apart, to where they begin `toApart` apart. */
function copyRows(
  from: Values,
  at: number,
  apart: number,
  rows: number,
  length: number,
  to: Values,
  toAt: number,
  toApart: number,
): void {
  for (let row = 0; row < rows; row++) {
    to.set(from.subarray(at, at + length), toAt);
    at += apart;
    toAt += toApart;
  }
}

function ofSplit(inputs: tf.NamedTensorInfoMap, attrs?: tf.NamedAttrMap) {
  const [x] = Object.values(inputs) as tf.Tensor[];
  const sizes = attrs as unknown as HeadSizes;
  const {batch, n, heads, dimHead} = sizes;
  const parts = x.size / (batch * n * heads * dimHead);
  return {x, sizes, parts, shapes: Array.from({length: parts}, () => [batch, heads, n, dimHead])};
}

function ofMerge(inputs: tf.NamedTensorInfoMap, attrs?: tf.NamedAttrMap) {
  const parts = Object.values(inputs) as tf.Tensor[];
  const sizes = attrs as unknown as HeadSizes;
  const {batch, n, heads, dimHead} = sizes;
  return {parts, sizes, shape: [batch * n, parts.length * heads * dimHead]};
}

export const registerHeads = () =>
  registerOwn([
    {kernelName: SPLIT_HEADS, backendName: 'wasm', kernelFunc: splitOnWasm},
    {kernelName: MERGE_HEADS, backendName: 'wasm', kernelFunc: mergeOnWasm},
    {kernelName: SPLIT_HEADS, backendName: 'cpu', kernelFunc: splitOnCpu},
    {kernelName: MERGE_HEADS, backendName: 'cpu', kernelFunc: mergeOnCpu},
  ]);
