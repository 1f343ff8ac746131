/**
 * A product of matrices, in two phases: first B is packed, then blocks of C are computed, each from a
 * block of A that its item packs. Every sum takes its steps in their order, so that the cut into items
 * changes no bit.
 */
import {Fours, FoursAdded, multiply} from './multiply';
import {eights, parts, product} from './product_call';
import {packRows} from './product_pack';

/** A block of A: rows, and steps, of which an eight of B still fits into the nearest cache. */
const ROWS: i32 = 64;
const STEPS: i32 = 512;

/** Items are made smaller until there are so many, that threads end together. */
const ITEMS: i32 = 8;
const LEAST_ROWS: i32 = 16;
const LEAST_EIGHTS: i32 = 8;

/** Rows of a block of C. */
function rowsOfBlock(): i32 {
  let rows = ROWS;
  while (rows > LEAST_ROWS && bands(rows) < ITEMS) rows >>= 1;
  return rows;
}

/** How many blocks of so many rows there are, side by side ones counted once. */
function bands(rows: i32): i32 {
  return product().batch * parts(product().rows, rows);
}

/** Eights of columns of a block of C: all, but where there are few bands. */
function eightsOfBlock(): i32 {
  return max(LEAST_EIGHTS, parts(eights(), parts(ITEMS, bands(rowsOfBlock()))));
}

/** How many blocks C has. */
export function blocks(): i32 {
  return bands(rowsOfBlock()) * parts(eights(), eightsOfBlock());
}

/** Bytes of scratch that {@link computeBlock} needs. */
export function blockScratch(): i32 {
  return ROWS * (STEPS + 8) * 4;
}

/** Computes one block of C. */
export function computeBlock(block: i32, scratch: usize): void {
  const p = product();
  const side = parts(eights(), eightsOfBlock());
  const first = (block % side) * eightsOfBlock();
  const count = min(eightsOfBlock(), eights() - first);
  const band = block / side;
  const down = parts(p.rows, rowsOfBlock());
  const i = (band % down) * rowsOfBlock();
  const rows = min(rowsOfBlock(), p.rows - i);
  const z = <usize>(band / down);
  const row = (<usize>p.columns) << 2;
  const c = p.c + (z * <usize>p.rows + <usize>i) * row + ((<usize>first) << 5);
  sum(z, i, rows, first, count, c, scratch);
  finish(c, rows, first << 3, min(p.columns - (first << 3), count << 3));
}

/** Writes the rows i … i + rows − 1 and so many eights of columns of a product. */
function sum(
  z: usize,
  i: i32,
  rows: i32,
  first: i32,
  count: i32,
  c: usize,
  scratch: usize,
): void {
  const p = product();
  const pair = p.pairs + (z << 3);
  const matrix = <usize>p.rows * <usize>p.steps;
  const a = p.a + ((<usize>load<i32>(pair) * matrix) << 2);
  const apart = (<usize>p.steps) << 5;
  const b = p.packed + (<usize>load<i32>(pair, 4) * <usize>eights() + <usize>first) * apart;
  // what sticks out of C is computed elsewhere
  const whole = min(count, (p.columns >> 3) - first);
  const edge = scratch;
  const fours = scratch + (ROWS << 5);
  const bytes = (<usize>p.columns) << 2;
  const run = parts(p.steps, parts(p.steps, STEPS));
  for (let t = 0; t < p.steps; t += run) {
    const steps = min(run, p.steps - t);
    packRows(a, i, rows, t, steps, fours);
    const from = b + ((<usize>t) << 5);
    addRun(t, fours, from, c, bytes, rows, steps, whole);
    addRun(t, fours, from + <usize>whole * apart, edge, 32, rows, steps, count - whole);
  }
  if (whole == count) return;
  const left = (<usize>p.columns & 7) << 2;
  let to = c + ((<usize>whole) << 5);
  for (let row: usize = 0; row < <usize>rows; row++) {
    memory.copy(to, edge + (row << 5), left);
    to += bytes;
  }
}

/** Adds to C what the steps from t on are; the first of them write it. */
function addRun(
  t: i32,
  fours: usize,
  b: usize,
  c: usize,
  stride: usize,
  rows: i32,
  steps: i32,
  count: i32,
): void {
  const apart = (<usize>product().steps) << 5;
  if (t == 0) multiply<Fours>(fours, b, c, stride, rows, steps, count, apart);
  else multiply<FoursAdded>(fours, b, c, stride, rows, steps, count, apart);
}

/** Adds the bias to rows of C, `columns` numbers from `column` on, and clamps them. */
function finish(c: usize, rows: i32, column: i32, columns: i32): void {
  const p = product();
  if (!p.bias && !p.clamps) return;
  const bias = p.bias + ((<usize>column) << 2);
  const end = (<usize>columns) << 2;
  const whole = end & ~15;
  for (; rows > 0; rows--) {
    let at: usize = 0;
    for (; at < whole; at += 16) {
      const terms = p.bias ? v128.load(bias + at) : f32x4.splat(0);
      v128.store(c + at, clamp(f32x4.add(v128.load(c + at), terms)));
    }
    for (; at < end; at += 4) {
      const term: f32 = p.bias ? load<f32>(bias + at) : 0;
      v128.store_lane<f32>(c + at, clamp(f32x4.splat(load<f32>(c + at) + term)), 0);
    }
    c += (<usize>p.columns) << 2;
  }
}

// @ts-ignore: decorator
@inline
function clamp(x: v128): v128 {
  const p = product();
  if (!p.clamps) return x;
  const least = f32x4.splat(p.least);
  const most = f32x4.splat(p.most);
  if (p.keepsNaN) return f32x4.min(f32x4.max(x, least), most);
  return f32x4.pmin(most, f32x4.pmax(least, x)); // what is not above `least` is `least`
}
