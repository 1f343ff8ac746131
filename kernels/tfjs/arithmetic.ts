/**
 * Add, Sub, Multiply and RealDiv on cpu, where TF.js finds the place of each number anew as soon as one
 * input is broadcast, as every bias is. Here the last axes are taken together as far as each input goes
 * on or stands still along them.
 */
import * as tf from '@tensorflow/tfjs';

import type {CpuBackend} from './cpu_backend';
import type {Replacement} from './replacement';
import type {Values} from './wasm_backend';

/** to[at + i] of a[p + i · step of a] and b[q + i · step of b] */
type Row = (a: Values, p: number, sa: number, b: Values, q: number, sb: number, to: Values, at: number, n: number) => void; // prettier-ignore

// a loop each, since a function called for each number takes longer than what it computes
const ROWS: Record<string, Row> = {
  Add(a, p, sa, b, q, sb, to, at, n) {
    for (let i = 0; i < n; i++) to[at + i] = a[p + i * sa] + b[q + i * sb];
  },
  Sub(a, p, sa, b, q, sb, to, at, n) {
    for (let i = 0; i < n; i++) to[at + i] = a[p + i * sa] - b[q + i * sb];
  },
  Multiply(a, p, sa, b, q, sb, to, at, n) {
    for (let i = 0; i < n; i++) to[at + i] = a[p + i * sa] * b[q + i * sb];
  },
  RealDiv(a, p, sa, b, q, sb, to, at, n) {
    for (let i = 0; i < n; i++) to[at + i] = a[p + i * sa] / b[q + i * sb];
  },
};

/** How far an input goes on with each step along each axis of `shape`; 0 where it is broadcast. */
function stepsOf(own: number[], shape: number[]): number[] {
  const padded = [...new Array<number>(shape.length - own.length).fill(1), ...own];
  const steps = [...tf.util.computeStrides(padded), 1].slice(-padded.length);
  return shape.map((size, axis) => (padded[axis] === size ? steps[axis] : 0));
}

function compute(row: Row, a: Values, b: Values, steps: number[][], shape: number[], to: Values) {
  /** From this axis on, each input goes on by one number each time, or stands still. */
  let together = shape.length;
  const isEven = (of: number[], axis: number) =>
    shape[axis] === 1 || (of[axis] === 0) === (of[shape.length - 1] === 0);
  while (together > 0 && steps.every((of) => isEven(of, together - 1))) together--;
  const n = tf.util.sizeFromShape(shape.slice(together));
  const [sa, sb] = steps.map((of) =>
    together < shape.length && of[shape.length - 1] !== 0 ? 1 : 0,
  );
  let at = 0;
  const walk = (axis: number, p: number, q: number): void => {
    if (axis === together) {
      row(a, p, sa, b, q, sb, to, at, n);
      at += n;
      return;
    }
    for (let i = 0; i < shape[axis]; i++) {
      walk(axis + 1, p + i * steps[0][axis], q + i * steps[1][axis]);
    }
  };
  walk(0, 0, 0);
}

export const ARITHMETIC: readonly Replacement[] = Object.entries(ROWS).map(([kernel, row]) => ({
  kernel,
  backend: 'cpu',
  reason:
    'it finds the place of each number anew where an input is broadcast; rows are computed whole',
  make: (theirs) => (call) => {
    const {a, b} = call.inputs as unknown as Record<'a' | 'b', tf.TensorInfo>;
    if (a.dtype !== 'float32' || b.dtype !== 'float32') return theirs(call);
    const shape = tf.backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const cpu = call.backend as CpuBackend;
    const to = new Float32Array(tf.util.sizeFromShape(shape));
    const values = [a, b].map(({dataId}) => cpu.data.get(dataId).values);
    if (to.length > 0) {
      const steps = [a, b].map((one) => stepsOf(one.shape, shape));
      compute(row, values[0], values[1], steps, shape, to);
    }
    return cpu.makeTensorInfo(shape, 'float32', to);
  },
}));
