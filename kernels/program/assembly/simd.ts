/** The arithmetic that everything here is made of: 4 × 8 tiles, and 2^x. */

/** a · b + c, rounded once where the build has relaxed SIMD. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

// 2^r on [−½, ½] by a polynomial that is 1 at 0: largest relative error 9.2e-8
const C1: f32 = 0.69314698;
const C2: f32 = 0.24022242;
const C3: f32 = 0.05550734;
const C4: f32 = 0.00967151;
const C5: f32 = 0.00132647;
// 1.5 · 2²³ + 127: adding it leaves the nearest whole number in the low bits, biased as an exponent is
const ROUNDER: f32 = 12583039;

/**
 * 2^x for x ≤ 0 and NaN for NaN; exactly 0 below 2^−100, since denormal weights would cost a factor
 * of time.
 */
// @ts-ignore: decorator
@inline
export function exp2(x: v128): v128 {
  const rounder = f32x4.splat(ROUNDER);
  const whole = f32x4.add(x, rounder);
  const r = f32x4.sub(x, f32x4.sub(whole, rounder));
  // the shorter chain of dependent steps (Estrin's), since few engines hold many steps in flight
  const r2 = f32x4.mul(r, r);
  const high = madd(f32x4.splat(C5), r, f32x4.splat(C4));
  const middle = madd(f32x4.splat(C3), r, f32x4.splat(C2));
  const low = madd(f32x4.splat(C1), r, f32x4.splat(1));
  const power = madd(madd(high, r2, middle), r2, low);
  const scaled = f32x4.mul(power, i32x4.shl(whole, 23));
  return v128.andnot(scaled, f32x4.lt(x, f32x4.splat(-100)));
}

/** log₂ x for x ≥ 1, by its exponent and the series of artanh. */
export function log2(x: f32): f32 {
  const bits = reinterpret<i32>(x);
  let exponent = (bits >> 23) - 127;
  let fraction = <f64>reinterpret<f32>((bits & 0x7fffff) | 0x3f800000);
  if (fraction > 1.4142135623730951) {
    fraction *= 0.5;
    exponent += 1;
  }
  const t = (fraction - 1) / (fraction + 1);
  const t2 = t * t;
  const series = t * (1 + t2 * (1.0 / 3 + t2 * (1.0 / 5 + t2 * (1.0 / 7 + t2 * (1.0 / 9)))));
  return <f32>(<f64>exponent + 2.8853900817779268 * series);
}

// The kinds of {@link multiply}, types because the compiler makes a program of each:
/** rows of A beside each other, C = A B; */
export type Fresh = u32;
/** rows of A beside each other, C += A B; */
export type Beside = i32;
/** rows of A as far apart as those of a tile of scores, C += A B. */
export type OfTile = f32;

/** Bytes of a row of a tile of scores. */
export const STRIDE: usize = 256;

// @ts-ignore: decorator
@inline
function adds<Kind>(): bool {
  return isSigned<Kind>() || isFloat<Kind>();
}

/**
 * C[row][0…7] (+)= Σ_t A[row][t] · B[t][0…7] for `rows` rows and `steps` steps of t. A is read a
 * number at a time: step t of rows r … r + 3, r a multiple of 4, is at a + r / 4 · aNext + t · aStep
 * and on from there. B and C are read by eights, B at b + t · bStep and C at c + row · cRow. All
 * strides are in bytes.
 *
 * Four rows at once, and the loop over t is not unrolled: V8 loads a whole basic block before it
 * computes, so that an unrolled body runs out of registers. The distance of the rows is a constant,
 * since four pointers to count up would take as long as four multiplications.
 */
export function multiply<Kind>(
  a: usize,
  aNext: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  steps: i32,
): void {
  const apart: usize = isInteger<Kind>() ? 4 : STRIDE;
  const zero = f32x4.splat(0);
  const end = b + <usize>steps * bStep;
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    const r1 = c + cRow;
    const r2 = r1 + cRow;
    const r3 = r2 + cRow;
    let c00 = adds<Kind>() ? v128.load(c) : zero;
    let c01 = adds<Kind>() ? v128.load(c, 16) : zero;
    let c10 = adds<Kind>() ? v128.load(r1) : zero;
    let c11 = adds<Kind>() ? v128.load(r1, 16) : zero;
    let c20 = adds<Kind>() ? v128.load(r2) : zero;
    let c21 = adds<Kind>() ? v128.load(r2, 16) : zero;
    let c30 = adds<Kind>() ? v128.load(r3) : zero;
    let c31 = adds<Kind>() ? v128.load(r3, 16) : zero;
    let from = a;
    for (let t = b; t != end; t += bStep) {
      const b0 = v128.load(t);
      const b1 = v128.load(t, 16);
      let s = v128.load32_splat(from);
      c00 = madd(s, b0, c00);
      c01 = madd(s, b1, c01);
      s = v128.load32_splat(from, apart);
      c10 = madd(s, b0, c10);
      c11 = madd(s, b1, c11);
      s = v128.load32_splat(from, 2 * apart);
      c20 = madd(s, b0, c20);
      c21 = madd(s, b1, c21);
      s = v128.load32_splat(from, 3 * apart);
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
    a += aNext;
    c += cRow << 2;
  }
  for (; row < rows; row++) {
    let c0 = adds<Kind>() ? v128.load(c) : zero;
    let c1 = adds<Kind>() ? v128.load(c, 16) : zero;
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
    c += cRow;
  }
}

/**
 * C += A B, one row at a time, where a weight of 0 takes nothing from the other factor, be it NaN
 * or infinite. The weights are A or B. Slow, and only for what is not finite.
 */
export function multiplyCarefully(
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  steps: i32,
  weightsInA: bool,
): void {
  const zero = f32x4.splat(0);
  for (let row = 0; row < rows; row++) {
    for (let step = 0; step < steps; step++) {
      const factor = f32x4.splat(load<f32>(a + <usize>step * aStep));
      for (let half: usize = 0; half < 32; half += 16) {
        const other = v128.load(b + <usize>step * bStep + half);
        const taken = f32x4.ne(weightsInA ? factor : other, zero);
        const sum = madd(v128.and(factor, taken), v128.and(other, taken), v128.load(c + half));
        v128.store(c + half, sum);
      }
    }
    a += aRow;
    c += cRow;
  }
}

/** Whether no number from `at` on is NaN or infinite. */
export function finite(at: usize, bytes: usize): bool {
  const end = at + bytes;
  let nothing = f32x4.splat(0);
  for (; at + 16 <= end; at += 16) {
    const x = v128.load(at);
    nothing = f32x4.add(nothing, f32x4.sub(x, x));
  }
  let rest: f32 = 0;
  for (; at < end; at += 4) rest += load<f32>(at) - load<f32>(at);
  return rest == 0 && !v128.any_true(f32x4.ne(nothing, nothing));
}
