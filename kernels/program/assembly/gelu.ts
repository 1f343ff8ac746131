/** The exact gelu, x Φ(x) with Φ(x) = (1 + erf(x / √2)) / 2, and its gradient, of as many numbers as there are. */
import {errorFunction, exponential, put, stepOf, take} from './maps';

/** to = x Φ(x) */
export function gelu(x: usize, count: i32, to: usize): void {
  const end = x + ((<usize>count) << 2);
  while (x < end) {
    const step = stepOf(x, end);
    const four = take(x, step);
    put(to, step, f32x4.mul(four, normal(four)));
    x += step;
    to += step;
  }
}

/** to = dy (Φ(x) + x φ(x)), where φ is the density of Φ */
export function geluGradient(x: usize, dy: usize, count: i32, to: usize): void {
  const end = x + ((<usize>count) << 2);
  while (x < end) {
    const step = stepOf(x, end);
    const four = take(x, step);
    const power = f32x4.mul(f32x4.mul(four, four), f32x4.splat(-0.5));
    const density = f32x4.mul(exponential(power), f32x4.splat(0.3989422804014327));
    const slope = f32x4.add(normal(four), f32x4.mul(four, density));
    put(to, step, f32x4.mul(take(dy, step), slope));
    x += step;
    dy += step;
    to += step;
  }
}

/** Φ, each operation rounded as TF.js's are. */
// @ts-ignore: decorator
@inline
function normal(x: v128): v128 {
  const erf = errorFunction(f32x4.div(x, f32x4.splat(1.4142135623730951)));
  return f32x4.mul(f32x4.splat(0.5), f32x4.add(f32x4.splat(1), erf));
}
