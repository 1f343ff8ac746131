/** Concat on wasm, where TF.js makes a view of each row of each tensor to copy it. */
import * as tf from '@tensorflow/tfjs';

import {direct} from '../program/direct';
import {enter} from '../wasm';
import type {Replacement} from './replacement';

export const CONCAT: Replacement = {
  kernel: 'Concat',
  backend: 'wasm',
  reason: 'it makes two views in JavaScript for each row that it copies; rows are copied by a loop',
  make: (theirs) => (call) => {
    const inputs = Object.values(call.inputs) as tf.TensorInfo[];
    const sizes = inputs.map(({shape}) => tf.util.sizeFromShape(shape));
    const serves =
      inputs.every(({dtype}) => dtype === 'float32') && sizes.every((size) => size > 0);
    if (!serves || inputs.length < 2) return theirs(call);
    const shapes = inputs.map(({shape}) => shape);
    const {axis} = call.attrs as unknown as {axis: number};
    const [along] = tf.util.parseAxisParam(axis, shapes[0]);
    tf.backend_util.assertParamsConsistent(shapes, along);
    const shape = tf.backend_util.computeOutShape(shapes, along);
    const rows = tf.util.sizeFromShape(shape.slice(0, along));
    const bytes = sizes.map((size) => (4 * size) / rows);
    const all = bytes.reduce((sum, one) => sum + one, 0);
    const made = direct(enter, call.backend, inputs, shape, (program, at, out) => {
      for (const [i, length] of bytes.entries()) {
        program.copyRows(at[i], length, rows, length, out, all);
        out += length;
      }
    });
    return made ?? theirs(call);
  },
};
