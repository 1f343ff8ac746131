/** The tensors of a case, drawn as scripts/golden.py draws them: multiples of 1/256 within ±1. */
import {contextOf, resolveConfig} from '../attention/config';
import type {GoldenCase} from './golden';

/** mulberry32 (Tommy Ettinger, public domain). */
export class Generator {
  constructor(private state: number) {}

  /** A whole number from 0 to `limit` − 1. */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let x = this.state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return Math.floor((((x ^ (x >>> 14)) >>> 0) * limit) / 2 ** 32);
  }
}

export interface Drawn {
  shape: number[];
  data: Float32Array;
}

export interface Inputs {
  q: Drawn;
  k: Drawn;
  v: Drawn;
  /** The upstream gradient. */
  dout: Drawn;
  bias: Drawn | null;
  /** 1 = keep. */
  mask: {shape: [number, number]; data: Uint8Array} | null;
  /** C */
  context: number;
}

export function inputsOf(c: GoldenCase, generator: Generator): Inputs {
  const [batch, heads, n, d] = c.shape;
  const {windowSize: w} = c.config;
  const context = contextOf('verify', resolveConfig('verify', c.config), w);
  const draw = (...shape: number[]): Drawn => {
    const size = shape.reduce((product, one) => product * one);
    return {shape, data: Float32Array.from({length: size}, () => generator.below(513) / 256 - 1)};
  };
  const [q, k] = [0, 1].map(() => draw(batch, heads, n, d));
  const [v, dout] = [0, 1].map(() => draw(batch, heads, n, c.valueDim ?? d));
  const bias = c.bias ? draw(heads, w, context) : null;
  // the first token of a window is kept, so that each query sees a key
  const keep = (_: unknown, at: number) => +(generator.below(3) > 0 || (at % n) % w === 0);
  const mask = c.mask ? Uint8Array.from({length: batch * n}, keep) : null;
  return {q, k, v, dout, bias, mask: mask && {shape: [batch, n], data: mask}, context};
}
