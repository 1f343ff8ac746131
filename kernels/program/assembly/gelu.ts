/** The exact gelu, x Φ(x), and its gradient, of as many numbers as there are. */
import {put, stepOf, take} from './maps';
import {exp, madd, placeConstants} from './simd';

/** to = x Φ(x) */
export function gelu(x: usize, count: i32, to: usize, scratch: usize): void {
  placeConstants(scratch);
  const end = x + ((<usize>count) << 2);
  while (x < end) {
    const step = stepOf(x, end);
    const four = take(x, step);
    put(to, step, f32x4.mul(four, normal(four, powerOf(four))));
    x += step;
    to += step;
  }
}

/** to = dy (Φ(x) + x φ(x)), where φ is the density of Φ */
export function geluGradient(x: usize, dy: usize, count: i32, to: usize, scratch: usize): void {
  placeConstants(scratch);
  const end = x + ((<usize>count) << 2);
  while (x < end) {
    const step = stepOf(x, end);
    const four = take(x, step);
    const power = powerOf(four);
    const density = f32x4.mul(power, f32x4.splat(0.3989422804014327));
    const slope = f32x4.add(f32x4.mul(four, density), normal(four, power));
    put(to, step, f32x4.mul(take(dy, step), slope));
    x += step;
    dy += step;
    to += step;
  }
}

/** e^(−x²/2) */
// @ts-ignore: decorator
@inline
function powerOf(x: v128): v128 {
  return exp(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
}

/**
 * Φ from power = e^(−x²/2): 1 − Φ(|x|) is that times a polynomial of 1 / (1 + p |x|), by Abramowitz
 * and Stegun 7.1.26. Largest error 7.5e-8, besides rounding.
 */
// @ts-ignore: decorator
@inline
function normal(x: v128, power: v128): v128 {
  const one = f32x4.splat(1);
  const t = f32x4.div(one, f32x4.add(one, f32x4.mul(f32x4.abs(x), f32x4.splat(0.23164189)))); // p = 0.3275911 / √2
  let y = madd(t, f32x4.splat(0.5307027145), f32x4.splat(-0.7265760135));
  y = madd(y, t, f32x4.splat(0.7107068705));
  y = madd(y, t, f32x4.splat(-0.142248368));
  y = madd(y, t, f32x4.splat(0.127414796));
  const beyond = f32x4.mul(f32x4.mul(y, t), power);
  return v128.bitselect(beyond, f32x4.sub(one, beyond), f32x4.lt(x, f32x4.splat(0)));
}
