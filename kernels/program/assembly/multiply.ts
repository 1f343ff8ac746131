/** Products of tiles, the arithmetic that takes the time: C = A B or C += A B. */
import {madd} from './simd';

// The kinds of A, types because the compiler makes a program of each:
/** packed rows, four by four, [steps][4]; the only kind that writes C and does not add to it; */
export type Fours = u32;
/** the transpose of rows of `rows` numbers, which lie one after the other; */
export type Columns = i32;
/** the transpose of a tile of scores; */
export type TileColumns = u64;
/** rows of a tile of scores. */
export type TileRows = f32;

/** Bytes of a row of a tile of scores. */
export const STRIDE: usize = 256;

// @ts-ignore: decorator
@inline
function isFours<Kind>(): bool {
  return isInteger<Kind>() && !isSigned<Kind>() && sizeof<Kind>() == 4;
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
  return isFours<Kind>() ? <usize>steps << 4 : rowBytes<Kind>() << 2;
}

/** Bytes from a step of A to the next. */
// @ts-ignore: decorator
@inline
function stepBytes<Kind>(rows: i32): usize {
  if (isFours<Kind>()) return 16;
  if (isFloat<Kind>()) return 4;
  return isSigned<Kind>() ? <usize>rows << 2 : STRIDE;
}

/**
 * C[row][0…7] (+)= Σ_t A[row][t] · B[t][0…7] for `rows` rows and `steps` steps of t. A is read a
 * number at a time, B and C by eights. Rows of C, and steps of B, are `stride` bytes apart; only of
 * {@link Fours} steps of B are 32.
 *
 * Four rows at once, and the loop over t is not unrolled: V8 loads a whole basic block before it
 * computes, so that an unrolled body runs out of registers. The distance of the rows is a constant,
 * since four pointers to count up would take as long as four multiplications.
 */
export function multiply<Kind>(
  a: usize,
  b: usize,
  c: usize,
  stride: usize,
  rows: i32,
  steps: i32,
): void {
  const apart = rowBytes<Kind>();
  const aStep = stepBytes<Kind>(rows);
  const bStep: usize = isFours<Kind>() ? 32 : stride;
  const zero = f32x4.splat(0);
  const end = b + <usize>steps * bStep;
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    const r1 = c + stride;
    const r2 = r1 + stride;
    const r3 = r2 + stride;
    let c00 = isFours<Kind>() ? zero : v128.load(c);
    let c01 = isFours<Kind>() ? zero : v128.load(c, 16);
    let c10 = isFours<Kind>() ? zero : v128.load(r1);
    let c11 = isFours<Kind>() ? zero : v128.load(r1, 16);
    let c20 = isFours<Kind>() ? zero : v128.load(r2);
    let c21 = isFours<Kind>() ? zero : v128.load(r2, 16);
    let c30 = isFours<Kind>() ? zero : v128.load(r3);
    let c31 = isFours<Kind>() ? zero : v128.load(r3, 16);
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
    let c0 = isFours<Kind>() ? zero : v128.load(c);
    let c1 = isFours<Kind>() ? zero : v128.load(c, 16);
    let from = a;
    for (let t = b; t != end; t += bStep) {
      const s = v128.load32_splat(from);
      c0 = madd(s, v128.load(t), c0);
      c1 = madd(s, v128.load(t, 16), c1);
      from += aStep;
    }
    v128.store(c, c0);
    v128.store(c, c1, 16);
    a += apart;
    c += stride;
  }
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
