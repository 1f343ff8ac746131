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
const ROUNDER: f32 = 12582912; // 1.5 · 2²³: adding it leaves the nearest whole number in the low bits

/** 2^x for x ≤ 0; exactly 0 below 2^−100, since denormal weights would cost a factor of time. */
// @ts-ignore: decorator
@inline
export function exp2(x: v128): v128 {
  const rounder = f32x4.splat(ROUNDER);
  const whole = f32x4.add(x, rounder);
  const r = f32x4.sub(x, f32x4.sub(whole, rounder));
  let power = madd(f32x4.splat(C5), r, f32x4.splat(C4));
  power = madd(power, r, f32x4.splat(C3));
  power = madd(power, r, f32x4.splat(C2));
  power = madd(power, r, f32x4.splat(C1));
  power = madd(power, r, f32x4.splat(1));
  const scaled = i32x4.add(power, i32x4.shl(whole, 23));
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

/**
 * C[row][0…7] = (add ? C : 0) + Σ_t A[row][t] · B[t][0…7] for `rows` rows and `steps` steps of t.
 * A is read a number at a time, at a + row · aRow + t · aStep; B and C by eights, B at b + t · bStep
 * and C at c + row · cRow. All strides are in bytes.
 *
 * Four rows at once, and the loop over t is not unrolled: V8 loads a whole basic block before it
 * computes, so that an unrolled body runs out of registers.
 */
export function multiply(
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  steps: i32,
  add: bool,
): void {
  const end = b + <usize>steps * bStep;
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    const r1 = c + cRow;
    const r2 = r1 + cRow;
    const r3 = r2 + cRow;
    const zero = f32x4.splat(0);
    let c00 = add ? v128.load(c) : zero;
    let c01 = add ? v128.load(c, 16) : zero;
    let c10 = add ? v128.load(r1) : zero;
    let c11 = add ? v128.load(r1, 16) : zero;
    let c20 = add ? v128.load(r2) : zero;
    let c21 = add ? v128.load(r2, 16) : zero;
    let c30 = add ? v128.load(r3) : zero;
    let c31 = add ? v128.load(r3, 16) : zero;
    let a0 = a;
    let a1 = a0 + aRow;
    let a2 = a1 + aRow;
    let a3 = a2 + aRow;
    for (let t = b; t != end; t += bStep) {
      const b0 = v128.load(t);
      const b1 = v128.load(t, 16);
      let s = v128.load32_splat(a0);
      c00 = madd(s, b0, c00);
      c01 = madd(s, b1, c01);
      s = v128.load32_splat(a1);
      c10 = madd(s, b0, c10);
      c11 = madd(s, b1, c11);
      s = v128.load32_splat(a2);
      c20 = madd(s, b0, c20);
      c21 = madd(s, b1, c21);
      s = v128.load32_splat(a3);
      c30 = madd(s, b0, c30);
      c31 = madd(s, b1, c31);
      a0 += aStep;
      a1 += aStep;
      a2 += aStep;
      a3 += aStep;
    }
    v128.store(c, c00);
    v128.store(c, c01, 16);
    v128.store(r1, c10);
    v128.store(r1, c11, 16);
    v128.store(r2, c20);
    v128.store(r2, c21, 16);
    v128.store(r3, c30);
    v128.store(r3, c31, 16);
    a += aRow << 2;
    c += cRow << 2;
  }
  for (; row < rows; row++) {
    let c0 = add ? v128.load(c) : f32x4.splat(0);
    let c1 = add ? v128.load(c, 16) : f32x4.splat(0);
    let a0 = a;
    for (let t = b; t != end; t += bStep) {
      const s = v128.load32_splat(a0);
      c0 = madd(s, v128.load(t), c0);
      c1 = madd(s, v128.load(t, 16), c1);
      a0 += aStep;
    }
    v128.store(c, c0);
    v128.store(c, c1, 16);
    a += aRow;
    c += cRow;
  }
}

/**
 * {@link multiply} with `add`, where a weight of 0 takes nothing from the other factor, be it NaN
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
