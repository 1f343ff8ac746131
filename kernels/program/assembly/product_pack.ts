/**
 * The factors of a product on their way into the tile: fours of rows of A and eights of columns of B,
 * a step after the other. Either lies as it is taken, and whole vectors are copied, or across, and
 * rows become lanes.
 */
import {eightIntoLanes, packFours} from './lanes';
import {eights, parts, product} from './product_call';

/** An item of packing: eights of columns, and steps. */
const EIGHTS: i32 = 8;
const STEPS: i32 = 2048;

/** Steps that are packed before the lanes beside them are: what is written twice must be near. */
const RUN: i32 = 256;

/** How many items there are of packing B. */
export function packItems(): i32 {
  const p = product();
  return p.matricesOfB * parts(eights(), EIGHTS) * parts(p.steps, STEPS);
}

/** Packs a part of B. */
export function pack(item: i32): void {
  const p = product();
  const runs = parts(p.steps, STEPS);
  const groups = parts(eights(), EIGHTS);
  const t = (item % runs) * STEPS;
  const first = ((item / runs) % groups) * EIGHTS;
  const matrix = <usize>(item / runs / groups);
  const steps = min(STEPS, p.steps - t);
  const columns = min(p.columns - (first << 3), EIGHTS << 3);
  const apart = (<usize>p.steps) << 5;
  const b = p.b + ((matrix * <usize>p.steps * <usize>p.columns) << 2);
  const to = p.packed + (matrix * <usize>eights() + <usize>first) * apart + ((<usize>t) << 5);
  if (p.transposeB) {
    const bytes = (<usize>p.steps) << 2;
    packAcross(b + (<usize>first << 3) * bytes + ((<usize>t) << 2), bytes, columns, steps, to);
  } else {
    const bytes = (<usize>p.columns) << 2;
    packAlong(b + <usize>t * bytes + (<usize>first << 5), bytes, columns, steps, to);
  }
}

/** Eights of `columns` that lie as rows of `steps` numbers, `bytes` apart. */
function packAcross(from: usize, bytes: usize, columns: i32, steps: i32, to: usize): void {
  for (; columns > 0; columns -= 8) {
    for (let t = 0; t < steps; t += RUN) {
      const at = to + ((<usize>t) << 5);
      eightIntoLanes(from + ((<usize>t) << 2), bytes, min(8, columns), min(RUN, steps - t), at);
    }
    from += bytes << 3;
    to += (<usize>product().steps) << 5;
  }
}

/** Eights of `columns` that lie beside one another, in rows that are `bytes` apart. */
function packAlong(from: usize, bytes: usize, columns: i32, steps: i32, to: usize): void {
  const apart = (<usize>product().steps) << 5;
  const whole = (<usize>columns & ~7) << 2;
  const end = (<usize>columns) << 2;
  for (; steps > 0; steps--) {
    let at = to;
    let column: usize = 0;
    for (; column < whole; column += 32) {
      v128.store(at, v128.load(from + column));
      v128.store(at, v128.load(from + column, 16), 16);
      at += apart;
    }
    for (; column < end; column += 4) {
      store<f32>(at, load<f32>(from + column));
      at += 4;
    }
    from += bytes;
    to += 32;
  }
}

/** A's rows i … i + rows − 1 and its steps t … t + steps − 1, as fours of rows. */
export function packRows(a: usize, i: i32, rows: i32, t: i32, steps: i32, to: usize): void {
  const p = product();
  if (p.transposeA) {
    const bytes = (<usize>p.rows) << 2;
    rowsAcross(a + <usize>t * bytes + ((<usize>i) << 2), bytes, rows, steps, to);
  } else {
    const bytes = (<usize>p.steps) << 2;
    packFours(a + <usize>i * bytes + ((<usize>t) << 2), bytes, rows, steps, to);
  }
}

/** Fours of `rows` that lie beside one another, in steps that are `bytes` apart. */
function rowsAcross(from: usize, bytes: usize, rows: i32, steps: i32, to: usize): void {
  const apart = (<usize>steps) << 4;
  const whole = (<usize>rows & ~3) << 2;
  const end = (<usize>rows) << 2;
  for (; steps > 0; steps--) {
    let at = to;
    let row: usize = 0;
    for (; row < whole; row += 16) {
      v128.store(at, v128.load(from + row));
      at += apart;
    }
    for (; row < end; row += 4) {
      store<f32>(at, load<f32>(from + row));
      at += 4;
    }
    from += bytes;
    to += 16;
  }
}
