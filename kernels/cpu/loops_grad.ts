/**
 * The backward kernel as plain loops. Weights are computed again from the logsumexp, 64 queries
 * against 64 keys at a time, so that nothing of the scores' size is ever kept:
 *
 *     P = exp(S − logsumexp)     dV += (P ∘ keep)ᵀ dO     dP = (dO Vᵀ) ∘ keep
 *     D = rowsum(dO ∘ O)         dS = P ∘ (dP − D)        dQ += dS K      dK += dSᵀ Q
 *
 * Queries and keys are the scaled and rotated ones here; their gradients are turned back when a
 * tile of queries, or a group of keys, is done.
 */
import {keepFactor} from '../../src/attention/dropout';
import type {Facts} from '../../src/attention/fused';
import {
  Group,
  Values,
  contextLength,
  endKey,
  finite,
  firstKey,
  groupsOf,
  normaliseBack,
  packKeys,
  packQueries,
  packValues,
  turnBack,
} from './rows';
import {biasRow, finishRow} from './scores';
import {exp, interleave, multiply, multiplyCarefully, roundUp4} from './tiles';

const TILE = 64;

export interface GradValues extends Values {
  out: Float32Array;
  logSumExp: Float32Array;
  dout: Float32Array;
}

export interface Gradients {
  dq: Float32Array;
  dk: Float32Array;
  dv: Float32Array;
  dbias: Float32Array | null;
}

/** Memory: gradients of one head, and what belongs to the group and the tile in work. */
interface Work {
  dq: Float64Array; // [n][d], as dk and dvalue
  dk: Float64Array;
  dvalue: Float64Array; // [n][dv]
  dbias: Float64Array | null; // of all heads
  keyRows: Float64Array; // [context][d rounded up to 4]
  dKeyRows: Float64Array;
  valueRows: Float64Array; // [context][dv rounded up to 4]
  dValueRows: Float64Array;
  keys: Float64Array; // interleaved, as all that follow without Rows
  contents: Float64Array; // of v
  queryRows: Float64Array; // [TILE][d rounded up to 4]
  dQueryRows: Float64Array;
  queries: Float64Array;
  doutRows: Float64Array; // [TILE][dv rounded up to 4]
  outRows: Float64Array;
  douts: Float64Array;
  weights: Float64Array; // [TILE queries][TILE keys]
  dScores: Float64Array; // [TILE queries][TILE keys]
  dScoresByKey: Float64Array; // [TILE keys][TILE queries]
}

function makeWork({n, d, dv}: Facts, context: number, biases: number): Work {
  const [wide, wideV] = [roundUp4(d), roundUp4(dv)];
  const room = (rows: number, width: number) => new Float64Array(rows * width);
  return {
    dq: room(n, d),
    dk: room(n, d),
    dvalue: room(n, dv),
    dbias: biases > 0 ? room(biases, 1) : null,
    keyRows: room(context, wide),
    dKeyRows: room(context, wide),
    valueRows: room(context, wideV),
    dValueRows: room(context, wideV),
    keys: room(context, d),
    contents: room(context, dv),
    queryRows: room(TILE, wide),
    dQueryRows: room(TILE, wide),
    queries: room(TILE, d),
    doutRows: room(TILE, wideV),
    outRows: room(TILE, wideV),
    douts: room(TILE, dv),
    weights: room(TILE, TILE),
    dScores: room(TILE, TILE),
    dScoresByKey: room(TILE, TILE),
  };
}

export function attendBackward(p: Facts, values: GradValues): Gradients {
  const {b, n, d, dv} = p;
  const work = makeWork(p, contextLength(p), values.bias?.length ?? 0);
  const gradients = {
    dq: new Float32Array(b * n * d),
    dk: new Float32Array(b * n * d),
    dv: new Float32Array(b * n * dv),
  };
  const groups = groupsOf(p);
  for (let head = 0; head < b; head++) {
    work.dq.fill(0);
    work.dk.fill(0);
    work.dvalue.fill(0);
    for (const group of groups) backwardGroup(p, values, head, group, work);
    if (p.sharedQk) {
      const row = Math.floor((head * values.maskRows) / p.b) * n;
      for (let j = 0; j < n; j++) {
        if (values.mask?.[row + j] === 0) continue; // its gradient is 0, whatever its value
        normaliseBack(values.k, (head * n + j) * d, work.dk, j * d, d);
      }
    }
    gradients.dq.set(work.dq, head * n * d);
    gradients.dk.set(work.dk, head * n * d);
    gradients.dv.set(work.dvalue, head * n * dv);
  }
  return {...gradients, dbias: work.dbias && Float32Array.from(work.dbias)};
}

function backwardGroup(p: Facts, values: GradValues, head: number, group: Group, work: Work) {
  const {d, dv} = p;
  const [wide, wideV] = [roundUp4(d), roundUp4(dv)];
  const {start, end, origin, from, to} = group;
  const {keyRows, valueRows, dKeyRows, dValueRows, dQueryRows} = work;
  packKeys(p, values, head, group, keyRows);
  interleave(keyRows, roundUp4(to - from), d, wide, work.keys);
  packValues(p, values.v, head, from, to - from, valueRows);
  interleave(valueRows, roundUp4(to - from), dv, wideV, work.contents);
  dKeyRows.fill(0);
  dValueRows.fill(0);
  const still = finite(keyRows, (to - from) * wide) && finite(valueRows, (to - from) * wideV);
  for (let i = start; i < end; i += TILE) {
    const rows = Math.min(TILE, end - i);
    backwardTile(p, values, head, group, i, rows, still, work);
    const phase = i - origin;
    for (let r = 0; r < rows; r++) {
      turnBack(dQueryRows, r * wide, work.dq, (i + r) * d, d, p.scale, values.queryAngles, (phase + r) * d); // prettier-ignore
    }
  }
  for (let j = from; j < to; j++) {
    turnBack(dKeyRows, (j - from) * wide, work.dk, j * d, d, 1, values.keyAngles, (j - origin) * d);
    const at = (j - from) * wideV;
    for (let c = 0; c < dv; c++) work.dvalue[j * dv + c] += dValueRows[at + c];
  }
}

/** Queries i … i + rows − 1 with all their keys; `still`: no key or value of the group is NaN. */
function backwardTile(
  p: Facts,
  values: GradValues,
  head: number,
  group: Group,
  i: number,
  rows: number,
  still: boolean,
  work: Work,
) {
  const {d, dv} = p;
  const [wide, wideV] = [roundUp4(d), roundUp4(dv)];
  const {queryRows, doutRows, weights, dScores} = work;
  packQueries(p, values, head, group, i, rows, queryRows);
  interleave(queryRows, roundUp4(rows), d, wide, work.queries);
  packValues(p, values.dout, head, i, rows, doutRows);
  interleave(doutRows, roundUp4(rows), dv, wideV, work.douts);
  packValues(p, values.out, head, i, rows, work.outRows);
  work.dQueryRows.fill(0);
  // a weight of 0 takes nothing from what is NaN
  const finiteTile = still && finite(queryRows, rows * wide) && finite(doutRows, rows * wideV);
  const spread = finiteTile ? multiply : multiplyCarefully;

  const last = endKey(p, i + rows - 1);
  for (let row = (firstKey(p, i) - group.from) & ~3; row < last - group.from; row += TILE) {
    const j = group.from + row;
    const count = Math.min(TILE, roundUp4(last - j));
    weights.fill(0);
    dScores.fill(0);
    multiply(
      roundUp4(rows),
      count,
      d,
      {values: work.queries, at: 0, panel: 4 * d, step: 4},
      {values: work.keys, at: row * d, panel: 4 * d, step: 4},
      {values: weights, at: 0, row: TILE},
    );
    multiply(
      roundUp4(rows),
      count,
      dv,
      {values: work.douts, at: 0, panel: 4 * dv, step: 4},
      {values: work.contents, at: row * dv, panel: 4 * dv, step: 4},
      {values: dScores, at: 0, row: TILE},
    );
    for (let r = 0; r < rows; r++) {
      finishRow(p, values, head, i + r, j, count, weights, r * TILE, 1);
      scoreGradient(p, values, head, i, r, j, count, work);
    }
    weights.fill(0, rows * TILE); // rows that only round up
    dScores.fill(0, rows * TILE);
    spread(
      count,
      wideV,
      rows,
      {values: weights, at: 0, panel: 4, step: TILE},
      {values: doutRows, at: 0, panel: 4, step: wideV},
      {values: work.dValueRows, at: row * wideV, row: wideV},
    );
    spread(
      count,
      wide,
      rows,
      {values: dScores, at: 0, panel: 4, step: TILE},
      {values: queryRows, at: 0, panel: 4, step: wide},
      {values: work.dKeyRows, at: row * wide, row: wide},
    );
    spread(
      roundUp4(rows),
      wide,
      count,
      {values: work.dScoresByKey, at: 0, panel: 4, step: TILE},
      {values: work.keyRows, at: row * wide, panel: 4, step: wide},
      {values: work.dQueryRows, at: 0, row: wide},
    );
  }
}

/** Row r of a tile, query i + r: scores become weights after dropout, dP becomes dS. */
function scoreGradient(
  p: Facts,
  values: GradValues,
  head: number,
  i: number,
  r: number,
  j: number,
  count: number,
  {weights, dScores, dScoresByKey, doutRows, outRows, dbias}: Work,
) {
  const query = i + r;
  const at = r * TILE;
  const logSumExp = values.logSumExp[head * p.n + query];
  const wideV = roundUp4(p.dv);
  let mean = 0;
  for (let c = r * wideV; c < r * wideV + p.dv; c++) mean += doutRows[c] * outRows[c];
  for (let x = 0; x < count; x++) {
    const score = weights[at + x];
    // above 0 only by the rounding of logSumExp
    const weight = score === -Infinity ? 0 : exp(Math.min(0, score - logSumExp));
    const keep = p.dropout > 0 && weight !== 0 ? keepFactor(p, head, query, j + x) : 1;
    // the score of a token with itself is a constant; dP of a key that is not seen may be NaN
    const constant = weight === 0 || (p.sharedQk && j + x === query);
    const dScore = constant ? 0 : weight * (keep * dScores[at + x] - mean);
    weights[at + x] = weight * keep;
    dScores[at + x] = dScore;
    dScoresByKey[x * TILE + r] = dScore;
  }
  if (!dbias) return;
  const first = Math.max(j, firstKey(p, query));
  const end = Math.min(j + count, endKey(p, query));
  const to = biasRow(p, head, query);
  for (let key = first; key < end; key++) dbias[to + key] += dScores[at + key - j];
}
