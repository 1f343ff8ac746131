/**
 * Where the numbers of a call lie in our own textures.
 *
 * A texel holds four numbers: four channels of a row of q, k, v, or what four queries in a row, a
 * tile, have with one key. Scores are kept for whole blocks of T keys, one in each of T layers, from
 * the block of the first key that a tile sees to that of the last.
 *
 * With xpos, the powers of a key are bounded only near the queries that see it. So queries are cut
 * into groups, each with keys of its own; else all queries of a head are one. A group of a head is a
 * strip, and rows are counted by strips.
 */
import type {Problem} from '../../src/attention/problem';
import {endKey, firstKey} from './bands';

/** Queries of a tile. */
export const TILE = 4;

/** How many rows, columns and layers of texels. */
export interface Grid {
  rows: number;
  columns: number;
  layers: number;
}

export interface Layout {
  targets: number;
  groupLength: number;
  groups: number;
  /** Of all heads. */
  strips: number;
  /** By strip. */
  tiles: number;
  keyRows: number;
  /** Texels of a row of q and k, and of v. */
  keyQuads: number;
  valueQuads: number;
  /** Blocks of keys that a tile sees at the most. */
  columns: number;
  grids: Record<Name, Grid>;
}

type Name =
  'query' | 'key' | 'value' | 'dout' | 'token' | 'tile' | 'score' | 'out' | 'dq' | 'dk' | 'dv';

/** Queries that count their angles from one origin: all, or with xpos a few windows. */
export function queriesTogether({windowSize: w, length, xposBase}: Problem): number {
  return Math.ceil((xposBase === null ? length : 64) / w) * w;
}

export function layoutOf(p: Problem, targets: number): Layout {
  const {length, xposBase, windowSize: w, lookBackward} = p;
  const groupLength = xposBase === null ? length : Math.min(length, queriesTogether(p));
  const groups = Math.ceil(length / groupLength);
  const strips = p.batch * p.heads * groups;
  const tiles = Math.ceil(groupLength / TILE);
  let keys = 0;
  let columns = 0;
  for (let group = 0; group < groups; group++) {
    const start = group * groupLength;
    const end = Math.min(length, start + groupLength);
    const origin = Math.max(0, (Math.floor(start / w) - lookBackward) * w);
    keys = Math.max(keys, endKey(p, end - 1) - origin);
    for (let i = start; i < end; i += TILE) {
      const first = Math.floor((firstKey(p, i) - origin) / targets);
      const stop = endKey(p, Math.min(i + TILE, end) - 1) - origin;
      columns = Math.max(columns, Math.ceil(stop / targets) - first);
    }
  }
  const keyRows = Math.ceil(keys / 8) * 8;
  const keyQuads = p.rotary ? 2 * Math.ceil(p.headDim / 8) : Math.ceil(p.headDim / 4);
  const valueQuads = Math.ceil(p.valueDim / 4);
  const rows = strips * tiles;
  const one = (ofRows: number, ofColumns: number, layers = 1) => {
    return {rows: ofRows, columns: ofColumns, layers};
  };
  const mixed = (quads: number) => one(rows, mixedColumns(quads, targets), targets);
  const blocks = (quads: number) => one((strips * keyRows) / targets, quads, targets);
  const placed = (ofRows: number, quads: number) =>
    one(ofRows, Math.ceil(quads / targets), targets);
  const grids = {
    query: placed(rows * TILE, keyQuads),
    key: placed(strips * keyRows, keyQuads),
    value: placed(strips * keyRows, valueQuads),
    dout: placed(rows * TILE, valueQuads),
    token: one(strips * keyRows, 1),
    tile: one(rows, 1, 2),
    score: one(rows, columns, targets),
    out: mixed(valueQuads),
    dq: mixed(keyQuads),
    dk: blocks(keyQuads),
    dv: blocks(valueQuads),
  };
  return {
    targets,
    groupLength,
    groups,
    strips,
    tiles,
    keyRows,
    keyQuads,
    valueQuads,
    columns,
    grids,
  };
}

/** Results of a tile are written 4 queries × 2 texels at a time, or 4 × 1, 2 × 1, 1 × 1. */
function mixedColumns(quads: number, targets: number): number {
  return targets === 8 ? Math.ceil(quads / 2) : (quads * TILE) / targets;
}

/** How a grid lies in a texture: rows beyond the height go on beside the others. */
export interface Folded {
  width: number;
  height: number;
}

export function fold({rows, columns}: Grid, maxSize: number): Folded {
  const height = Math.min(Math.ceil(rows / 8), Math.floor(maxSize / 8)) * 8;
  return {width: Math.ceil(rows / height) * columns, height};
}
