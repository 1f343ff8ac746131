/**
 * Add, Sub, Multiply, RealDiv and Minimum on cpu, where TF.js finds the place of each number anew as soon as one
 * input is broadcast, as every bias is. Here rows are computed whole.
 */
import * as tf from '@tensorflow/tfjs';

import {broadcastRows} from './broadcast_rows';
import type {CpuBackend} from './cpu_backend';
import type {Replacement} from './replacement';
import type {Values} from './wasm_backend';

/** to[at + i] of a[p + i · step of a] and b[q + i · step of b] */
type Loop = (a: Values, p: number, sa: number, b: Values, q: number, sb: number, to: Values, at: number, n: number) => void; // prettier-ignore

// a loop each, since a function called for each number takes longer than what it computes
const LOOPS: Record<string, Loop> = {
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
  Minimum(a, p, sa, b, q, sb, to, at, n) {
    for (let i = 0; i < n; i++) to[at + i] = Math.min(a[p + i * sa], b[q + i * sb]);
  },
};

export const ARITHMETIC: readonly Replacement[] = Object.entries(LOOPS).map(([kernel, loop]) => ({
  kernel,
  backend: 'cpu',
  reason:
    'it finds the place of each number anew where an input is broadcast; rows are computed whole',
  make: (theirs) => (call) => {
    const {a, b} = call.inputs as unknown as Record<'a' | 'b', tf.TensorInfo>;
    if (a.dtype !== 'float32' || b.dtype !== 'float32') return theirs(call);
    const rows = broadcastRows(a.shape, b.shape);
    const cpu = call.backend as CpuBackend;
    const to = new Float32Array(tf.util.sizeFromShape(rows.shape));
    const [x, y] = [a, b].map(({dataId}) => cpu.data.get(dataId).values);
    rows.forEach((p, sa, q, sb, at, n) => loop(x, p, sa, y, q, sb, to, at, n));
    return cpu.makeTensorInfo(rows.shape, 'float32', to);
  },
}));
