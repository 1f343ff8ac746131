/**
 * What is computed: causal local attention over windows of w tokens that looks one window back,
 * without mask, dropout or rotary embedding.
 *
 * Sizes: `heads` is batch times heads, n tokens, d channels, w window. q, k, v, dout: [heads, n, d].
 */
import {randomNumbers} from '../examples/char_lm/random';

export interface Workload {
  name: string;
  heads: number;
  /** A multiple of w. */
  n: number;
  d: number;
  w: number;
}

export const WHATS = ['forward', 'training'] as const;

/** `training` is forward and backward: the gradients of Σ out·dout by q, k and v. */
export type What = (typeof WHATS)[number];

export interface Inputs {
  q: Float32Array;
  k: Float32Array;
  v: Float32Array;
  dout: Float32Array;
}

export const WORKLOADS: Readonly<Record<string, Workload>> = {
  W1: {name: 'W1', heads: 8, n: 4096, d: 64, w: 256},
  W2: {name: 'W2', heads: 16, n: 2048, d: 64, w: 512},
  W3: {name: 'W3', heads: 1, n: 100, d: 32, w: 5},
  W4: {name: 'W4', heads: 8, n: 4096, d: 64, w: 8},
  // for a GPU that is emulated
  W5: {name: 'W5', heads: 1, n: 1024, d: 64, w: 256},
  W6: {name: 'W6', heads: 1, n: 1024, d: 64, w: 8},
};

/** The first key that query i sees; the last is i. */
export function firstKey({w}: Workload, i: number): number {
  return Math.max(0, Math.floor(i / w) - 1) * w;
}

/** The last query that sees key j; the first is j. */
export function lastQuery({w, n}: Workload, j: number): number {
  return Math.min(n, (Math.floor(j / w) + 2) * w) - 1;
}

/** How many pairs of a query and a key it sees there are, over all heads. */
export function visibleScores({heads, n, w}: Workload): number {
  const windows = n / w;
  return heads * (windows * ((w * (w + 1)) / 2) + (windows - 1) * w * w);
}

/** Floating-point operations that no implementation can do without: padding and masked scores are not counted. */
export function usefulFlops(workload: Workload, what: What): number {
  // two products a score forward; backward three more, and two of them twice: 4·d and 10·d
  const perScore = what === 'forward' ? 4 : 4 + 10;
  return perScore * workload.d * visibleScores(workload);
}

/** Normal numbers that depend on the seed alone. */
export function inputsOf({heads, n, d}: Workload, seed = 1): Inputs {
  const random = randomNumbers(seed);
  const normal = () => {
    const values = new Float32Array(heads * n * d);
    for (let index = 0; index < values.length; index++) {
      // Box and Muller; 1 − u is never 0
      const radius = Math.sqrt(-2 * Math.log(1 - random()));
      values[index] = radius * Math.cos(2 * Math.PI * random());
    }
    return values;
  };
  return {q: normal(), k: normal(), v: normal(), dout: normal()};
}
