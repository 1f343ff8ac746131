/** Arithmetic on four numbers at a time. */

/** a · b + c, rounded once where the build has relaxed SIMD. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

const LOG2_E: f32 = 1.4426950408889634;
// 2^r on [−½, ½] by a polynomial that is 1 at 0: largest relative error 9.2e-8
const C1: f32 = 0.69314698;
const C2: f32 = 0.24022242;
const C3: f32 = 0.05550734;
const C4: f32 = 0.00967151;
const C5: f32 = 0.00132647;
// 1.5 · 2²³ + 127: adding it leaves the nearest whole number in the low bits, biased as an exponent is
const ROUNDER: f32 = 12583039;

/**
 * e^x for x ≤ 0 and NaN for NaN; exactly 0 below 2^−100, since denormal weights would cost a factor
 * of time. What it is given is a difference already: log₂e times a large score would be rounded.
 */
// @ts-ignore: decorator
@inline
export function exp(score: v128): v128 {
  const x = f32x4.mul(score, f32x4.splat(LOG2_E));
  return v128.andnot(power(x), f32x4.lt(x, f32x4.splat(-100)));
}

/** {@link exp} times a factor; 0 where that is 0 for any factor, be it NaN. */
// @ts-ignore: decorator
@inline
export function expTimes(score: v128, factor: v128): v128 {
  const x = f32x4.mul(score, f32x4.splat(LOG2_E));
  return v128.andnot(f32x4.mul(power(x), factor), f32x4.lt(x, f32x4.splat(-100)));
}

/** 2^x, and anything for x below −126. */
// @ts-ignore: decorator
@inline
function power(x: v128): v128 {
  const rounder = f32x4.splat(ROUNDER);
  const whole = f32x4.add(x, rounder);
  const r = f32x4.sub(x, f32x4.sub(whole, rounder));
  // the shorter chain of dependent steps (Estrin's), since few engines hold many steps in flight
  const r2 = f32x4.mul(r, r);
  const high = madd(f32x4.splat(C5), r, f32x4.splat(C4));
  const middle = madd(f32x4.splat(C3), r, f32x4.splat(C2));
  const low = madd(f32x4.splat(C1), r, f32x4.splat(1));
  return f32x4.mul(madd(madd(high, r2, middle), r2, low), i32x4.shl(whole, 23));
}

/** Whether no number from `at` on is NaN or infinite. */
export function allFinite(at: usize, bytes: usize): bool {
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
