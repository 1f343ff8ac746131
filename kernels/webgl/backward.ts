/**
 * The gradient, chunk by chunk of scores, from weights that are computed again:
 *
 *     dV = (P ∘ keep)ᵀ dO     dP = (dO Vᵀ) ∘ keep     dS = P ∘ (dP − Σ P ∘ dP)     dQ = dS K     dK = dSᵀ Q
 *
 * At most three textures of scores are there at a time. The output and the statistics of the forward
 * pass are not used: TF.js may have kept them in 16 bits.
 */
import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';

import type {FusedGradInputs, KernelAttrs} from '../../src/attention/fused';
import {Call, Chunk, within} from './call';
import {chunksOf} from './chunks';
import {passesFor} from './passes';
import {biasGradient} from './passes/bias_gradient';
import {alongKeys, keyGradient, queryGradient, valueGradient} from './passes/finish_gradients';
import {rowGradient} from './passes/score_gradient';
import {Sequences, mixInto, place, scoresOf, weightsOf} from './sequences';
import {readable} from './tensors';
import type {Cells} from './textures';

export const backward: KernelFunc = ({inputs, attrs, backend}) => {
  const told = attrs as unknown as KernelAttrs;
  const given = inputs as unknown as FusedGradInputs;
  return within(backend, told.problem, (call) => {
    const {layout, targets} = call;
    const {grids} = layout;
    const sequences = place(call, given, told);
    const {queries, keys, values} = sequences;
    const dout = call.drawn(passesFor(targets).upstream, grids.dout, {
      tensors: {x: readable(call.backend, given.dout)},
      fetches: 4 * targets,
    });
    const {grid, chunks} = chunksOf(layout, call.device.maxSize);
    const spare = [grid, grid, grid].map((one) => call.take(one));
    const statistics = call.take(grids.tile);
    const rows = call.take(grids.tile);
    const dq = call.take(grids.dq);
    let dk: Cells | null = null;
    let dv: Cells | null = null;
    let dbias: TensorInfo | null = null;
    for (const chunk of chunks) {
      const [scores, weights, slopes] = spare;
      const uniforms = {firstTile: chunk.first, endTile: chunk.end};
      scoresOf(call, sequences, chunk, scores, statistics);
      weightsOf(call, scores, statistics, chunk, weights, false);
      const dropped = told.problem.dropout > 0;
      if (dropped) weightsOf(call, scores, statistics, chunk, slopes, true);
      dv = gather(call, dropped ? slopes : weights, dout, dv, 'dv', chunk);
      const products = scores; // which are not needed any more
      gradientOfScores(call, {values, dout, weights, products, rows, slopes}, chunk);
      mixInto(call, dq, slopes, keys, chunk);
      dk = gather(call, slopes, queries, dk, 'dk', chunk);
      if (given.bias) {
        const before = dbias;
        dbias = call.tensor(biasGradient, given.bias.shape, {
          cells: {slopes},
          tables: {before: before && readable(call.backend, before).texture},
          uniforms,
          fetches:
            4 *
            (grids.score.rows / layout.tiles) *
            Math.ceil(told.problem.length / told.problem.windowSize),
        });
        if (before) call.drop(before);
      }
    }
    return [...finish(call, given, sequences, dq, dk!, dv!), ...(dbias ? [dbias] : [])];
  });
};

type Scores = Record<'values' | 'dout' | 'weights' | 'products' | 'rows' | 'slopes', Cells>;

/** dP into `products`, and dS into `slopes`. */
function gradientOfScores(call: Call, cells: Scores, {first, end}: Chunk): void {
  const {layout, targets} = call;
  const passes = passesFor(targets);
  const {values, dout, weights, products, rows, slopes} = cells;
  const uniforms = {firstTile: first, quads: layout.valueQuads};
  const ofProducts = {
    cells: {queries: dout, keys: values},
    uniforms,
    fetches: (4 + targets) * layout.valueQuads,
  };
  call.draw(passes.weightGradient, products, ofProducts, 0, end - first);
  const ofRows = {cells: {weights, products}, uniforms, fetches: 2 * layout.columns * targets};
  call.draw(rowGradient, rows, ofRows, first, end);
  const ofScores = {cells: {weights, products, rows}, uniforms, fetches: 2 * targets};
  call.draw(passes.scoreGradient, slopes, ofScores, 0, end - first);
}

/** What queries leave for keys, added to what was there `before` the chunk. */
function gather(
  call: Call,
  weights: Cells,
  rows: Cells,
  before: Cells | null,
  name: 'dk' | 'dv',
  {first, end}: Chunk,
): Cells {
  const {layout, targets} = call;
  const sums = call.drawn(passesFor(targets).gathered, layout.grids[name], {
    cells: {weights, rows, before},
    uniforms: {firstTile: first, endTile: end},
    fetches: (4 + targets) * layout.columns * 2,
  });
  if (before) call.give(before);
  return sums;
}

function finish(
  call: Call,
  given: FusedGradInputs,
  {keys, exists, norms, angles}: Sequences,
  dq: Cells,
  dk: Cells,
  dv: Cells,
): TensorInfo[] {
  const {layout, backend} = call;
  const fetches = 16;
  const ofRows = {cells: {keys, sums: dk}, fetches: 2 * layout.keyQuads};
  const along = norms && call.drawn(alongKeys, layout.grids.token, ofRows);
  return [
    call.tensor(queryGradient, given.q.shape, {
      cells: {mixes: dq},
      tables: {angles: angles.queries},
      fetches,
    }),
    call.tensor(keyGradient, given.k.shape, {
      cells: {sums: dk, exists, norms, along},
      tensors: {x: readable(backend, given.k)},
      tables: {angles: angles.keys},
      fetches,
    }),
    call.tensor(valueGradient, given.v.shape, {cells: {sums: dv, exists}, fetches}),
  ];
}
