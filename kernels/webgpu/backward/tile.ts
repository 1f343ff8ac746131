/** The parts of the gradient that workgroups compute. */
import type {Problem} from '../../../src/attention/problem';
import type {Variant} from '../forward/tile';
import type {Layout} from '../wgsl/rows';

export interface BackwardTile {
  /** Rows that a workgroup owns, and rows of the other side that it meets at a time. */
  own: number;
  met: number;
  /** Owned rows of a thread; it has four of those met. */
  rows: number;
}

/** What the text depends on, as in a forward variant. */
export interface BackwardVariant {
  /** The side that is owned. */
  of: 'queries' | 'keys';
  tile: BackwardTile;
  layout: Layout;
  rotary: boolean;
  extras: boolean;
  /** Queries of a workgroup of the forward kernel: angles that count alike make the same scores again. */
  frame: number;
  /** Fours of channels that are held at a time, of keys and of values alike. */
  columns: number;
  /** Fours of channels that a thread has of each row, of keys and of values. */
  ofKeys: number;
  ofValues: number;
  /** Whether there are no more than are held. */
  whole: boolean;
}

const TINY: BackwardTile = {own: 16, met: 8, rows: 2};
const SMALL: BackwardTile = {own: 16, met: 16, rows: 4};
const MEDIUM: BackwardTile = {own: 32, met: 16, rows: 4};
// beyond 64 channels, for the registers' sake; and where there is no room for it
const WIDE: BackwardTile = {own: 16, met: 32, rows: 2};
const NARROW: BackwardTile = {own: 16, met: 16, rows: 2};

function tileOf({headDim, valueDim, windowSize}: Problem, bytes: number): BackwardTile {
  if (Math.max(headDim, valueDim) > 64) {
    return workgroupBytes(WIDE, WIDE.met / 4) <= bytes ? WIDE : NARROW;
  }
  if (windowSize > 32) return MEDIUM;
  return windowSize > 12 ? SMALL : TINY;
}

/** The variant for a device with so much workgroup memory. */
export function backwardVariantOf(
  p: Problem,
  of: BackwardVariant['of'],
  {tile: {queries: frame}, layout, rotary, extras}: Variant,
  bytes: number,
): BackwardVariant {
  const tile = tileOf(p, bytes);
  const lanes = tile.met / 4;
  const [keys, values] = [Math.ceil(p.headDim / 4), Math.ceil(p.valueDim / 4)];
  const wanted = Math.min(lanes * Math.ceil(Math.max(keys, values) / lanes), 16);
  const columns = [wanted, 8, lanes].find((columns) => workgroupBytes(tile, columns) <= bytes)!;
  return {
    of,
    tile,
    layout,
    rotary,
    extras,
    columns,
    frame,
    ofKeys: Math.ceil(keys / lanes),
    ofValues: Math.ceil(values / lanes),
    whole: Math.max(keys, values) <= columns,
  };
}

function workgroupBytes({own, met}: BackwardTile, columns: number): number {
  const rows = 2 * columns * (met + 1 + own);
  const weights = 2 * (met / 4) * own;
  const ofLanes = 3 * (met / 4) * own; // numbers
  return 16 * (rows + weights) + 4 * ofLanes;
}
