/** Products of tiles, the arithmetic that takes the time: C = A B or C += A B. */
import {madd} from './simd';

// The kinds of A, types because the compiler makes a program of each. Packed rows lie four by four,
// [rows / 4][steps][4], and so do eights of the columns of B then, [columns / 8][steps][8]:
/** packed, and C is written; */
export type Fours = u32;
/** packed, and C is added to, as it is by all that follow; */
export type FoursAdded = u16;
/** the transpose of rows of `rows` numbers, which lie one after the other; */
export type Columns = i32;
/** the transpose of a tile of scores; */
export type TileColumns = u64;
/** rows of a tile of scores. */
export type TileRows = f32;

/** Bytes of a row of a tile of scores. */
export const STRIDE: usize = 256;

/** Whether 16 columns are computed at once; whoever instantiates the module says so. */
// @ts-ignore: decorator
@external('env', 'wide')
declare const wide: i32;

/** Eights of columns that are computed at once: 2 in wide tiles, else 1. */
// @ts-ignore: decorator
@inline
export function eightsAtOnce(): i32 {
  return 1 + wide;
}

// @ts-ignore: decorator
@inline
function isPacked<Kind>(): bool {
  return isInteger<Kind>() && !isSigned<Kind>() && sizeof<Kind>() <= 4;
}

/** Bytes from a row of A to the next. */
// @ts-ignore: decorator
@inline
function rowBytes<Kind>(): usize {
  return isFloat<Kind>() ? STRIDE : 4;
}

/** Bytes from four rows of A to the next four. */
// @ts-ignore: decorator
@inline
function foursBytes<Kind>(steps: i32): usize {
  return isPacked<Kind>() ? <usize>steps << 4 : rowBytes<Kind>() << 2;
}

/** Bytes from a step of A to the next. */
// @ts-ignore: decorator
@inline
function stepBytes<Kind>(rows: i32): usize {
  if (isPacked<Kind>()) return 16;
  if (isFloat<Kind>()) return 4;
  return isSigned<Kind>() ? <usize>rows << 2 : STRIDE;
}

/** What a sum begins with. */
// @ts-ignore: decorator
@inline
function begin<Kind>(c: usize): v128 {
  return isPacked<Kind>() && sizeof<Kind>() == 4 ? f32x4.splat(0) : v128.load(c);
}

/**
 * C[row][column] (+)= Σ_t A[row][t] · B[t][column] for `rows` rows, `steps` steps of t and `eights`
 * eights of columns. A is read a number at a time, B and C by eights, of which the next begins `bApart`
 * and `cApart` bytes later. Rows of C, and steps of B, are `stride` bytes apart; only of
 * {@link Fours} and {@link FoursAdded} steps of B are 32.
 *
 * A sum takes its steps in their order, so that it is the same bits in either tile.
 */
export function multiply<Kind>(
  a: usize,
  b: usize,
  c: usize,
  stride: usize,
  rows: i32,
  steps: i32,
  eights: i32 = 1,
  bApart: usize = 32,
  cApart: usize = 32,
): void {
  for (; wide && eights > 1; eights -= 2) {
    multiplyWide<Kind>(a, b, c, stride, rows, steps, bApart, cApart);
    b += bApart << 1;
    c += cApart << 1;
  }
  for (; eights > 0; eights--) {
    multiplyNarrow<Kind>(a, b, c, stride, rows, steps, 0);
    b += bApart;
    c += cApart;
  }
}

/**
 * One eight, in tiles of 4 × 8, of the rows first … rows − 1; a and c are those of `first`.
 *
 * The loop over t is not unrolled: V8 loads a whole basic block before it computes, so that an
 * unrolled body runs out of registers. The distance of the rows of A is a constant, since four
 * pointers to count up would take as long as four multiplications.
 */
function multiplyNarrow<Kind>(
  a: usize,
  b: usize,
  c: usize,
  stride: usize,
  rows: i32,
  steps: i32,
  first: i32,
): void {
  const aStep = stepBytes<Kind>(rows);
  const bStep: usize = isPacked<Kind>() ? 32 : stride;
  const end = b + <usize>steps * bStep;
  let row = first;
  for (; row + 4 <= rows; row += 4) {
    const r1 = c + stride;
    const r2 = r1 + stride;
    const r3 = r2 + stride;
    let c00 = begin<Kind>(c);
    let c01 = begin<Kind>(c + 16);
    let c10 = begin<Kind>(r1);
    let c11 = begin<Kind>(r1 + 16);
    let c20 = begin<Kind>(r2);
    let c21 = begin<Kind>(r2 + 16);
    let c30 = begin<Kind>(r3);
    let c31 = begin<Kind>(r3 + 16);
    let from = a;
    for (let t = b; t != end; t += bStep) {
      const b0 = v128.load(t);
      const b1 = v128.load(t, 16);
      let s = v128.load32_splat(from);
      c00 = madd(s, b0, c00);
      c01 = madd(s, b1, c01);
      s = v128.load32_splat(from, rowBytes<Kind>());
      c10 = madd(s, b0, c10);
      c11 = madd(s, b1, c11);
      s = v128.load32_splat(from, 2 * rowBytes<Kind>());
      c20 = madd(s, b0, c20);
      c21 = madd(s, b1, c21);
      s = v128.load32_splat(from, 3 * rowBytes<Kind>());
      c30 = madd(s, b0, c30);
      c31 = madd(s, b1, c31);
      from += aStep;
    }
    v128.store(c, c00);
    v128.store(c, c01, 16);
    v128.store(r1, c10);
    v128.store(r1, c11, 16);
    v128.store(r2, c20);
    v128.store(r2, c21, 16);
    v128.store(r3, c30);
    v128.store(r3, c31, 16);
    a += foursBytes<Kind>(steps);
    c += stride << 2;
  }
  for (; row < rows; row++) {
    let c0 = begin<Kind>(c);
    let c1 = begin<Kind>(c + 16);
    let from = a;
    for (let t = b; t != end; t += bStep) {
      const s = v128.load32_splat(from);
      c0 = madd(s, v128.load(t), c0);
      c1 = madd(s, v128.load(t, 16), c1);
      from += aStep;
    }
    v128.store(c, c0);
    v128.store(c, c1, 16);
    a += rowBytes<Kind>();
    c += stride;
  }
}

/**
 * Two eights, in tiles of 4 × 16: faster where an engine has more than 16 registers, or makes one
 * instruction of a pair of them.
 */
function multiplyWide<Kind>(
  a: usize,
  b: usize,
  c: usize,
  stride: usize,
  rows: i32,
  steps: i32,
  bApart: usize,
  cApart: usize,
): void {
  const aStep = stepBytes<Kind>(rows);
  const bStep: usize = isPacked<Kind>() ? 32 : stride;
  const end = b + <usize>steps * bStep;
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    const r1 = c + stride;
    const r2 = r1 + stride;
    const r3 = r2 + stride;
    const d = c + cApart;
    const d1 = d + stride;
    const d2 = d1 + stride;
    const d3 = d2 + stride;
    let c00 = begin<Kind>(c);
    let c01 = begin<Kind>(c + 16);
    let c02 = begin<Kind>(d);
    let c03 = begin<Kind>(d + 16);
    let c10 = begin<Kind>(r1);
    let c11 = begin<Kind>(r1 + 16);
    let c12 = begin<Kind>(d1);
    let c13 = begin<Kind>(d1 + 16);
    let c20 = begin<Kind>(r2);
    let c21 = begin<Kind>(r2 + 16);
    let c22 = begin<Kind>(d2);
    let c23 = begin<Kind>(d2 + 16);
    let c30 = begin<Kind>(r3);
    let c31 = begin<Kind>(r3 + 16);
    let c32 = begin<Kind>(d3);
    let c33 = begin<Kind>(d3 + 16);
    let from = a;
    for (let t = b; t != end; t += bStep) {
      const b0 = v128.load(t);
      const b1 = v128.load(t, 16);
      const b2 = v128.load(t + bApart);
      const b3 = v128.load(t + bApart, 16);
      let s = v128.load32_splat(from);
      c00 = madd(s, b0, c00);
      c01 = madd(s, b1, c01);
      c02 = madd(s, b2, c02);
      c03 = madd(s, b3, c03);
      s = v128.load32_splat(from, rowBytes<Kind>());
      c10 = madd(s, b0, c10);
      c11 = madd(s, b1, c11);
      c12 = madd(s, b2, c12);
      c13 = madd(s, b3, c13);
      s = v128.load32_splat(from, 2 * rowBytes<Kind>());
      c20 = madd(s, b0, c20);
      c21 = madd(s, b1, c21);
      c22 = madd(s, b2, c22);
      c23 = madd(s, b3, c23);
      s = v128.load32_splat(from, 3 * rowBytes<Kind>());
      c30 = madd(s, b0, c30);
      c31 = madd(s, b1, c31);
      c32 = madd(s, b2, c32);
      c33 = madd(s, b3, c33);
      from += aStep;
    }
    v128.store(c, c00);
    v128.store(c, c01, 16);
    v128.store(d, c02);
    v128.store(d, c03, 16);
    v128.store(r1, c10);
    v128.store(r1, c11, 16);
    v128.store(d1, c12);
    v128.store(d1, c13, 16);
    v128.store(r2, c20);
    v128.store(r2, c21, 16);
    v128.store(d2, c22);
    v128.store(d2, c23, 16);
    v128.store(r3, c30);
    v128.store(r3, c31, 16);
    v128.store(d3, c32);
    v128.store(d3, c33, 16);
    a += foursBytes<Kind>(steps);
    c += stride << 2;
  }
  multiplyNarrow<Kind>(a, b, c, stride, rows, steps, row);
  multiplyNarrow<Kind>(a, b + bApart, c + cApart, stride, rows, steps, row);
}

/**
 * C += A B as {@link multiply} does it, but a weight of 0 takes nothing from the other factor, be it
 * NaN or infinite. The weights are B where A holds {@link Columns} of values, and A elsewhere. Slow,
 * and only for what is not finite.
 */
export function multiplyCarefully<Kind>(
  a: usize,
  b: usize,
  c: usize,
  stride: usize,
  rows: i32,
  steps: i32,
): void {
  const zero = f32x4.splat(0);
  for (let row = 0; row < rows; row++) {
    for (let step = 0; step < steps; step++) {
      const factor = f32x4.splat(load<f32>(a + <usize>step * stepBytes<Kind>(rows)));
      for (let half: usize = 0; half < 32; half += 16) {
        const other = v128.load(b + <usize>step * stride + half);
        const weight = isSigned<Kind>() && isInteger<Kind>() ? other : factor;
        const taken = f32x4.ne(weight, zero);
        const sum = madd(v128.and(factor, taken), v128.and(other, taken), v128.load(c + half));
        v128.store(c + half, sum);
      }
    }
    a += rowBytes<Kind>();
    c += stride;
  }
}
