/** Functions of one number, of as many as there are: what TF.js's unary kernels compute. */
import {madd} from './simd';

const EXP: i32 = 0;
const ERF: i32 = 1;
const SQRT: i32 = 2; // and 3 is its reciprocal

/** to = f(x), of so many numbers. */
export function map(f: i32, x: usize, count: i32, to: usize): void {
  const end = x + ((<usize>count) << 2);
  while (x < end) {
    const step = stepOf(x, end);
    put(to, step, apply(f, take(x, step)));
    x += step;
    to += step;
  }
}

/** The bytes of four numbers, and near the end those of one. */
// @ts-ignore: decorator
@inline
export function stepOf(x: usize, end: usize): usize {
  return x + 16 <= end ? 16 : 4;
}

// @ts-ignore: decorator
@inline
export function take(x: usize, step: usize): v128 {
  return step == 16 ? v128.load(x) : v128.load_splat<f32>(x);
}

// @ts-ignore: decorator
@inline
export function put(to: usize, step: usize, y: v128): void {
  if (step == 16) v128.store(to, y);
  else v128.store_lane<f32>(to, y, 0);
}

// @ts-ignore: decorator
@inline
function apply(f: i32, x: v128): v128 {
  if (f == EXP) return exponential(x);
  if (f == ERF) return errorFunction(x);
  const root = f32x4.sqrt(x);
  return f == SQRT ? root : f32x4.div(f32x4.splat(1), root);
}

/** NaN stays NaN. Not `min` and `max`, which are eight instructions each on x86, and these one. */
// @ts-ignore: decorator
@inline
function clamp(x: v128, least: f32, most: f32): v128 {
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(least)), f32x4.splat(most));
}

/**
 * e^x, whatever x is: 2^n e^r, where r = x − n ln 2 is at most ln 2 / 2, and ln 2 is two numbers, of
 * which n times the first is exact. The polynomial is Cephes' (expf.c); largest relative error 9e-8.
 */
// @ts-ignore: decorator
@inline
export function exponential(x: v128): v128 {
  x = clamp(x, -104, 89); // there it is 0, and infinite
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.4426950408889634)));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = madd(n, f32x4.splat(2.1219444e-4), r);
  let y = madd(f32x4.splat(1.98756915e-4), r, f32x4.splat(1.3981999507e-3));
  y = madd(y, r, f32x4.splat(8.3334519073e-3));
  y = madd(y, r, f32x4.splat(4.1665795894e-2));
  y = madd(y, r, f32x4.splat(0.16666665459));
  y = madd(y, r, f32x4.splat(0.50000001201));
  y = f32x4.add(madd(f32x4.mul(r, r), y, r), f32x4.splat(1));
  // in two steps, since 2^n alone may be no float
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(y, powerOfTwo(half)), powerOfTwo(i32x4.sub(whole, half)));
}

// @ts-ignore: decorator
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/**
 * erf x as x P(x²) / Q(x²), the approximation of Eigen and XLA; beyond 4 it is ±1 in float32,
 * and where the approximation is more, it is 1. Largest relative error 3.3e-7.
 */
// @ts-ignore: decorator
@inline
export function errorFunction(x: v128): v128 {
  x = clamp(x, -4, 4);
  const x2 = f32x4.mul(x, x);
  let p = madd(f32x4.splat(2.2905066e-4), x2, f32x4.splat(3.408291e-3));
  p = madd(p, x2, f32x4.splat(5.0955695e-2));
  p = madd(p, x2, f32x4.splat(0.18520832));
  p = madd(p, x2, f32x4.splat(1.1283791435));
  let q = madd(f32x4.splat(-1.1791603e-7), x2, f32x4.splat(2.3547966e-5));
  q = madd(q, x2, f32x4.splat(1.0179626e-3));
  q = madd(q, x2, f32x4.splat(1.407047e-2));
  q = madd(q, x2, f32x4.splat(0.11098505));
  q = madd(q, x2, f32x4.splat(0.49746925));
  q = madd(q, x2, f32x4.splat(1));
  const y = f32x4.div(f32x4.mul(x, p), q);
  return clamp(y, -1, 1);
}
