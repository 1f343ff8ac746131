/**
 * Is it right? Some rows of what a candidate computed, against the definition in float64:
 *
 *     P = softmax(scale · q kᵀ)       out = P v
 *     dP = dout vᵀ                    dS = P ∘ (dP − Σ_j P ∘ dP)
 *     dq = scale · dS k               dk = scale · dSᵀ q               dv = Pᵀ dout
 */
import {Inputs, What, Workload, firstKey, lastQuery} from './workloads';

/** [out], or [dq, dk, dv]; each [heads, n, d]. */
export type Results = readonly ArrayLike<number>[];

export const RESULTS: Record<What, readonly string[]> = {
  forward: ['out'],
  training: ['dq', 'dk', 'dv'],
};

/** Float32 gives some 1e-6 with normal inputs; a gradient sums over up to 2w scores. */
export const LARGEST_ERROR: Record<What, number> = {forward: 1e-5, training: 1e-4};

const ROWS: Record<What, number> = {forward: 10, training: 5}; // of a head

/** The same rows of what is to be checked, ready to compare with. */
export interface Expected {
  what: What;
  rows: {result: number; head: number; row: number; values: Float64Array}[];
}

export function expectedOf(workload: Workload, inputs: Inputs, what: What): Expected {
  const names = RESULTS[what];
  const rows = checkedRows(workload, ROWS[what]).flatMap(({head, row}) =>
    names.map((name, result) => {
      const values = ROW_OF[name](workload, inputs, head, row);
      return {result, head, row, values};
    }),
  );
  return {what, rows};
}

/**
 * The largest difference.
 *
 * @throws if it is too large or no number, in the name of `candidate`
 */
export function checkedError(
  candidate: string,
  {what, rows}: Expected,
  {d, n}: Workload,
  results: Results,
): number {
  let largest = 0;
  for (const {result, head, row, values} of rows) {
    const start = (head * n + row) * d;
    values.forEach((value, c) => {
      const difference = Math.abs(results[result][start + c] - value);
      if (!(difference <= LARGEST_ERROR[what])) {
        const where = `${RESULTS[what][result]}[${head}, ${row}, ${c}]`;
        const got = `${results[result][start + c]}, not ${value}`;
        throw new Error(`candidate ${candidate} is wrong: ${where} is ${got}.`);
      }
      largest = Math.max(largest, difference);
    });
  }
  return largest;
}

/** The edges of windows and of the sequence, then rows in between; of the first and the last head. */
function checkedRows({heads, n, w}: Workload, count: number): {head: number; row: number}[] {
  const spread = Array.from({length: count}, (_, s) => Math.floor(((s + 0.37) / count) * n));
  const rows = [...new Set([n - 1, w, w - 1, 0, ...spread])].slice(0, count);
  return [...new Set([0, heads - 1])].flatMap((head) => rows.map((row) => ({head, row})));
}

type RowOf = (p: Workload, x: Inputs, head: number, row: number) => Float64Array;

const ROW_OF: Record<string, RowOf> = {
  out(p, x, head, i) {
    const sum = new Float64Array(p.d);
    const {first, weights} = attention(p, x, head, i);
    weights.forEach((weight, s) => add(sum, weight, x.v, (head * p.n + first + s) * p.d));
    return sum;
  },
  dq(p, x, head, i) {
    const sum = new Float64Array(p.d);
    const {first, dScores} = scoreGradients(p, x, head, i);
    dScores.forEach((dScore, s) => add(sum, dScore, x.k, (head * p.n + first + s) * p.d));
    return sum;
  },
  dk(p, x, head, j) {
    const sum = new Float64Array(p.d);
    for (let i = j; i <= lastQuery(p, j); i++) {
      const {first, dScores} = scoreGradients(p, x, head, i);
      add(sum, dScores[j - first], x.q, (head * p.n + i) * p.d);
    }
    return sum;
  },
  dv(p, x, head, j) {
    const sum = new Float64Array(p.d);
    for (let i = j; i <= lastQuery(p, j); i++) {
      const {first, weights} = attention(p, x, head, i);
      add(sum, weights[j - first], x.dout, (head * p.n + i) * p.d);
    }
    return sum;
  },
};

/** The weights of query i, from its first key on. */
function attention(p: Workload, {q, k}: Inputs, head: number, i: number) {
  const first = firstKey(p, i);
  const weights = products(p, q, k, head, i).map((score) => score / Math.sqrt(p.d));
  const largest = weights.reduce((a, b) => Math.max(a, b));
  weights.forEach((score, s) => (weights[s] = Math.exp(score - largest)));
  const total = weights.reduce((a, b) => a + b);
  return {first, weights: weights.map((weight) => weight / total)};
}

/** The gradient of the product of query i with each of its keys. */
function scoreGradients(p: Workload, x: Inputs, head: number, i: number) {
  const {first, weights} = attention(p, x, head, i);
  const dWeights = products(p, x.dout, x.v, head, i);
  const mean = weights.reduce((sum, weight, s) => sum + weight * dWeights[s], 0);
  const dScores = weights.map((weight, s) => (weight * (dWeights[s] - mean)) / Math.sqrt(p.d));
  return {first, dScores};
}

/** Row i of `a` with each row of `b` that query i sees. */
function products(p: Workload, a: Float32Array, b: Float32Array, head: number, i: number) {
  const first = firstKey(p, i);
  const query = (head * p.n + i) * p.d;
  return Float64Array.from({length: i - first + 1}, (_, s) => {
    const key = (head * p.n + first + s) * p.d;
    let sum = 0;
    for (let c = 0; c < p.d; c++) sum += a[query + c] * b[key + c];
    return sum;
  });
}

function add(sum: Float64Array, factor: number, x: Float32Array, start: number) {
  for (let c = 0; c < sum.length; c++) sum[c] += factor * x[start + c];
}
