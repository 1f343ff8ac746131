/** Arithmetic on four numbers at a time. */

/** a · b + c, rounded once where the build has relaxed SIMD. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

// Constants of exp lie in memory, since V8 makes a vector of a constant in three instructions each time
// that it is used, and loads a number into all lanes in one.
const LOG2_E: usize = 0;
const LEAST: usize = 4;
const ROUNDER: usize = 8;
const C: usize = 12; // 6 coefficients
export const CONSTANT_BYTES: usize = 64;

let constants: usize = 0;

/** Writes the constants that {@link exp} needs to where they stay until the next call. */
export function placeConstants(at: usize): void {
  constants = at;
  store<f32>(at, 1.4426950408889634, LOG2_E);
  store<f32>(at, -100, LEAST);
  // 1.5 · 2²³ + 127: adding it leaves the nearest whole number in the low bits, biased as an exponent is
  store<f32>(at, 12583039, ROUNDER);
  // 2^r on [−½, ½] by a polynomial that is 1 at 0: largest relative error 9.2e-8
  store<f32>(at, 1, C);
  store<f32>(at, 0.69314698, C + 4);
  store<f32>(at, 0.24022242, C + 8);
  store<f32>(at, 0.05550734, C + 12);
  store<f32>(at, 0.00967151, C + 16);
  store<f32>(at, 0.00132647, C + 20);
}

/**
 * e^x for x ≤ 0 and NaN for NaN; exactly 0 below 2^−100, since denormal weights would cost a factor
 * of time. What it is given is a difference already: log₂e times a large score would be rounded.
 */
// @ts-ignore: decorator
@inline
export function exp(score: v128): v128 {
  const x = f32x4.mul(score, v128.load32_splat(constants, LOG2_E));
  return v128.andnot(power(x), f32x4.lt(x, v128.load32_splat(constants, LEAST)));
}

/** {@link exp} times a factor; 0 where that is 0 for any factor, be it NaN. */
// @ts-ignore: decorator
@inline
export function expTimes(score: v128, factor: v128): v128 {
  const x = f32x4.mul(score, v128.load32_splat(constants, LOG2_E));
  const small = f32x4.lt(x, v128.load32_splat(constants, LEAST));
  return v128.andnot(f32x4.mul(power(x), factor), small);
}

/** 2^x, and anything for x below −126. */
// @ts-ignore: decorator
@inline
function power(x: v128): v128 {
  const rounder = v128.load32_splat(constants, ROUNDER);
  const whole = f32x4.add(x, rounder);
  const r = f32x4.sub(x, f32x4.sub(whole, rounder));
  // the shorter chain of dependent steps (Estrin's), since few engines hold many steps in flight
  const r2 = f32x4.mul(r, r);
  const c4 = v128.load32_splat(constants, C + 16);
  const high = madd(v128.load32_splat(constants, C + 20), r, c4);
  const c2 = v128.load32_splat(constants, C + 8);
  const middle = madd(v128.load32_splat(constants, C + 12), r, c2);
  const c0 = v128.load32_splat(constants, C);
  const low = madd(v128.load32_splat(constants, C + 4), r, c0);
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
