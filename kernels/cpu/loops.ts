/**
 * The forward kernel as plain loops, for engines without SIMD in WebAssembly.
 *
 * out = softmax(scores) v and logsumexp, 4 queries at a time, against all keys that any of them
 * sees: memory is 4 rows of scores and the context of one group. A block ends at the last key that
 * any of its queries sees, so that a causal window is half the work.
 */
import {keepFactor} from '../../src/attention/dropout';
import type {Facts} from '../../src/attention/fused';
import {
  Values,
  contextLength,
  endKey,
  finite,
  firstKey,
  groupsOf,
  packKeys,
  packQueries,
  packValues,
} from './rows';
import {finishRow} from './scores';
import {exp, interleave, multiply, multiplyCarefully, roundUp4} from './tiles';

const LANES = 4;

/** -> out [b, n, dv], logSumExp [b, n] */
export function attend(p: Facts, values: Values): {out: Float32Array; logSumExp: Float32Array} {
  const {b, n, d, dv} = p;
  const wide = roundUp4(d);
  const wideV = roundUp4(dv);
  const context = contextLength(p);
  const out = new Float32Array(b * n * dv);
  const logSumExp = new Float32Array(b * n);
  const keyRows = new Float64Array(context * wide);
  const keys = new Float64Array(context * d); // interleaved
  const contents = new Float64Array(context * wideV); // of v
  const queryRows = new Float64Array(LANES * wide);
  const queries = new Float64Array(LANES * d); // interleaved
  const scores = new Float64Array(context * LANES); // of four queries with each key
  const mixed = new Float64Array(LANES * wideV);
  const groups = groupsOf(p);

  for (let head = 0; head < b; head++) {
    for (const group of groups) {
      const {start, end, from, to} = group;
      packKeys(p, values, head, group, keyRows);
      interleave(keyRows, roundUp4(to - from), d, wide, keys);
      packValues(p, values.v, head, from, to - from, contents);
      // a weight of 0 takes nothing from a value that is NaN
      const mix = finite(contents, (to - from) * wideV) ? multiply : multiplyCarefully;

      for (let i = start; i < end; i += LANES) {
        const rows = Math.min(LANES, end - i);
        const skipped = (firstKey(p, i) - from) & ~3;
        const j = from + skipped;
        const count = roundUp4(endKey(p, i + rows - 1) - j);
        packQueries(p, values, head, group, i, rows, queryRows);
        interleave(queryRows, LANES, d, wide, queries);
        scores.fill(0, 0, count * LANES);
        multiply(
          count,
          LANES,
          d,
          {values: keys, at: skipped * d, panel: 4 * d, step: 4},
          {values: queries, at: 0, panel: 0, step: 4},
          {values: scores, at: 0, row: LANES},
        );
        for (let lane = 0; lane < rows; lane++) {
          finishRow(p, values, head, i + lane, j, count, scores, lane, LANES);
          logSumExp[head * n + i + lane] = soften(scores, lane, count);
          if (p.dropout > 0) drop(p, head, i + lane, j, count, scores, lane);
        }
        mixed.fill(0);
        mix(
          LANES,
          wideV,
          count,
          {values: scores, at: 0, panel: 0, step: LANES},
          {values: contents, at: skipped * wideV, panel: 4, step: wideV},
          {values: mixed, at: 0, row: wideV},
        );
        for (let lane = 0; lane < rows; lane++) {
          const row = mixed.subarray(lane * wideV, lane * wideV + dv);
          out.set(row, (head * n + i + lane) * dv);
        }
      }
    }
  }
  return {out, logSumExp};
}

/** What the composite takes for hidden too; finite, so that −∞ minus it is −∞. */
const FLOOR = -5e29;

/** Scores of one lane become weights, in place; returns their logsumexp, +∞ where none is seen. */
function soften(scores: Float64Array, lane: number, count: number): number {
  const end = lane + count * LANES;
  let top = FLOOR;
  for (let at = lane; at < end; at += LANES) {
    if (scores[at] > top) top = scores[at];
  }
  let sum = 0;
  for (let at = lane; at < end; at += LANES) {
    const weight = exp(scores[at] - top);
    scores[at] = weight;
    sum += weight;
  }
  if (sum === 0) return Infinity;
  const inverse = 1 / sum;
  for (let at = lane; at < end; at += LANES) scores[at] *= inverse;
  return top + Math.log(sum);
}

function drop(
  p: Facts,
  head: number,
  i: number,
  j: number,
  count: number,
  weights: Float64Array,
  lane: number,
) {
  for (let x = 0; x < count; x++) weights[lane + x * LANES] *= keepFactor(p, head, i, j + x);
}
