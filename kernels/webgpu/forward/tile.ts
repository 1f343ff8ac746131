/** The part of a call that one workgroup computes, and what is cut to fit into it. */
import type {Problem} from '../../../src/attention/problem';
import type {Layout} from '../wgsl/rows';

export interface Tile {
  /** Queries and keys that meet at a time. */
  queries: number;
  keys: number;
  /** Queries of a thread; it has four of the keys. */
  rows: number;
  /** Fours of channels of a key that are held at a time, at the most. */
  columns: number;
}

/** Of a key or of a value. */
export const MOST_CHANNELS = 256;

/** Queries whose angles may count from one origin: as many as any tile has. */
const MOST_QUERIES = 64;

// fewer lanes to a row mean fewer values that each reads again, and more registers
const TINY: Tile = {queries: 16, keys: 8, rows: 2, columns: 16};
const SMALL: Tile = {queries: 16, keys: 16, rows: 4, columns: 16};
const MEDIUM: Tile = {queries: 32, keys: 16, rows: 4, columns: 16};
const WIDE: Tile = {queries: 32, keys: 32, rows: 4, columns: 8}; // up to 128 channels
const WIDEST: Tile = {queries: 16, keys: 32, rows: 2, columns: 8}; // up to 256

/** By the registers that the channels take, and by the keys that a window's block would see in vain. */
export function tileOf({headDim, valueDim, windowSize}: Problem): Tile {
  const channels = Math.max(headDim, valueDim);
  if (channels > 128) return WIDEST;
  if (channels > 64) return WIDE;
  if (windowSize > 32) return MEDIUM;
  return windowSize > 12 ? SMALL : TINY;
}

/** Pairs of a query and a key that meet, at the most. */
export function pairsOfHead({length, context}: Problem): number {
  return length * Math.min(length, context);
}

/** Those of the windows that such a number of queries may touch. */
export function queriesTogether({windowSize}: Problem): number {
  return (1 + Math.ceil((MOST_QUERIES - 1) / windowSize)) * windowSize;
}

/** What the text of a kernel depends on; all else is uniforms, so that few texts serve many calls. */
export interface Variant {
  tile: Tile;
  layout: Layout;
  rotary: boolean;
  /** Mask, bias, shared qk or dropout: each by uniforms. */
  extras: boolean;
  /** Fours of channels, rounded up: of keys that are held at a time, and of all values. */
  keyColumns: number;
  valueColumns: number;
  /** Whether keys have no more columns than are held, and whether just as many. */
  whole: boolean;
  exact: boolean;
}

export function variantOf(p: Problem, tile: Tile): Variant {
  const aligned = p.headDim % (p.rotary ? 8 : 4) === 0 && p.valueDim % 4 === 0;
  const fours = Math.ceil(p.headDim / 4);
  const lanes = tile.keys / 4;
  const keyColumns = Math.min(tile.columns, 4 * Math.ceil(fours / 4));
  return {
    tile,
    layout: aligned ? 'aligned' : 'scattered',
    rotary: p.rotary,
    extras: p.mask !== null || p.bias !== null || p.sharedQk || p.dropout > 0,
    keyColumns,
    valueColumns: lanes * Math.ceil(p.valueDim / (4 * lanes)),
    whole: fours <= keyColumns,
    exact: fours === keyColumns,
  };
}
