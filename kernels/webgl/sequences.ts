/** The sequences of a call in our own textures, and the softmax that both passes make of them. */
import {FusedInputs, KernelAttrs} from '../../src/attention/fused';
import type {Call, Chunk} from './call';
import {passesFor} from './passes';
import {norms, placeKeys, placeQueries} from './passes/place';
import {statistics} from './passes/softmax';
import {Readable, readable} from './tensors';
import type {Cells} from './textures';

export interface Sequences {
  queries: Cells;
  keys: Cells;
  values: Cells;
  /** With sharedQk alone. */
  norms: Cells | null;
  mask: Readable | null;
  bias: Readable | null;
}

export function place(call: Call, given: FusedInputs, attrs: KernelAttrs): Sequences {
  const {backend, problem, device, layout} = call;
  const {grids} = layout;
  const read = (name: keyof FusedInputs) => (given[name] ? readable(backend, given[name]) : null);
  const [q, k, v, mask, bias] = (['q', 'k', 'v', 'mask', 'bias'] as const).map(read);
  const angles = (table: Float32Array | null) => ({
    angles: table && device.tables.textureOf(table, problem.headDim),
  });
  const ofKeys = {cells: {norms: null as Cells | null}, tensors: {x: k, mask}};
  if (problem.sharedQk) {
    const grid = {rows: grids.key.rows, columns: 1, layers: 1};
    const fetches = problem.headDim;
    ofKeys.cells.norms = call.drawn(norms, grid, {tensors: {x: k}, fetches});
  }
  return {
    queries: call.drawn(placeQueries, grids.query, {
      tensors: {x: q},
      tables: angles(attrs.queryAngles),
      uniforms: {plain: 0},
      fetches: 10,
    }),
    keys: call.drawn(placeKeys, grids.key, {
      ...ofKeys,
      tables: angles(attrs.keyAngles),
      uniforms: {plain: 0},
      fetches: 10,
    }),
    values: call.drawn(placeKeys, grids.value, {
      tensors: {x: v, mask},
      uniforms: {plain: 1},
      fetches: 4,
    }),
    norms: ofKeys.cells.norms,
    mask,
    bias,
  };
}

/** The scores of a chunk; the statistics of its rows are drawn into `rows`. */
export function scoresOf(
  call: Call,
  {queries, keys, bias}: Sequences,
  {first, end}: Chunk,
  scores: Cells,
  rows: Cells,
): void {
  const {layout, targets} = call;
  const uniforms = {firstTile: first, quads: layout.keyQuads};
  const ofTile = layout.columns * targets;
  call.draw(
    passesFor(targets).scores,
    scores,
    {
      cells: {queries, keys},
      tensors: {bias},
      uniforms,
      fetches: (4 + targets) * layout.keyQuads,
    },
    0,
    end - first,
  );
  call.draw(statistics, rows, {cells: {scores}, uniforms, fetches: 2 * ofTile}, first, end);
}

/** The weights of a chunk, as they are or as dropout leaves them. */
export function weightsOf(
  call: Call,
  scores: Cells,
  statistics: Cells,
  {first, end}: Chunk,
  weights: Cells,
  dropped: boolean,
): void {
  const {targets} = call;
  const given = {
    cells: {scores, statistics},
    uniforms: {firstTile: first, dropped: +dropped},
    fetches: targets + 2,
  };
  call.draw(passesFor(targets).weights, weights, given, 0, end - first);
}

/** Mixes rows of keys by what the queries of a chunk have for each. */
export function mixInto(
  call: Call,
  mixes: Cells,
  weights: Cells,
  rows: Cells,
  {first, end}: Chunk,
): void {
  const {layout, targets} = call;
  const given = {
    cells: {weights, rows},
    uniforms: {firstTile: first},
    fetches: 3 * layout.columns * targets,
  };
  call.draw(passesFor(targets).mixed, mixes, given, first, end);
}
