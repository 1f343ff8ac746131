/** The sequences of a call in our own textures, and the softmax that both passes make of them. */
import {FusedInputs, KernelAttrs} from '../../src/attention/fused';
import type {Call, Chunk} from './call';
import {passesFor} from './passes';
import {exists, norms} from './passes/place';
import {statistics} from './passes/softmax';
import type {Pass} from './program';
import {Readable, readable} from './tensors';
import type {Cells} from './textures';

export interface Sequences {
  queries: Cells;
  keys: Cells;
  values: Cells;
  /** Of keys: with a mask whether they exist, with sharedQk the inverses of their norms. */
  exists: Cells | null;
  norms: Cells | null;
  bias: Readable | null;
  /** Of queries and of keys, for gradients to be rotated back. */
  angles: Record<'queries' | 'keys', WebGLTexture | null>;
}

export function place(call: Call, given: FusedInputs, attrs: KernelAttrs): Sequences {
  const {backend, problem, device, targets, layout} = call;
  const {grids} = layout;
  const passes = passesFor(targets);
  const read = (name: keyof FusedInputs) => (given[name] ? readable(backend, given[name]) : null);
  const [q, k, v, mask, bias] = (['q', 'k', 'v', 'mask', 'bias'] as const).map(read);
  const tableOf = (table: Float32Array | null) =>
    table && device.tables.textureOf(table, problem.headDim);
  const angles = {queries: tableOf(attrs.queryAngles), keys: tableOf(attrs.keyAngles)};
  const ofTokens = (pass: Pass, x: Readable | null, fetches: number) =>
    call.drawn(pass, grids.token, {tensors: {x}, fetches});
  const cells = {
    exists: mask && ofTokens(exists, mask, 1),
    norms: problem.sharedQk ? ofTokens(norms, k, problem.headDim) : null,
  };
  const fetches = 4 * targets;
  return {
    queries: call.drawn(passes.queries, grids.query, {
      tensors: {x: q},
      tables: {angles: angles.queries},
      fetches,
    }),
    keys: call.drawn(passes.keys, grids.key, {
      cells,
      tensors: {x: k},
      tables: {angles: angles.keys},
      fetches,
    }),
    values: call.drawn(passes.values, grids.value, {cells, tensors: {x: v}, fetches}),
    ...cells,
    bias,
    angles,
  };
}

/** The scores of a chunk; the statistics of its rows are drawn into `rows`. */
export function scoresOf(
  call: Call,
  {queries, keys, exists, bias}: Sequences,
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
      cells: {queries, keys, exists},
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
  kept: boolean,
): void {
  const {targets} = call;
  const passes = passesFor(targets);
  const given = {
    cells: {scores, statistics},
    uniforms: {firstTile: first},
    fetches: targets + 2,
  };
  call.draw(kept ? passes.keptWeights : passes.weights, weights, given, 0, end - first);
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
