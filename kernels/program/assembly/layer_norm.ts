/**
 * Layer normalization of rows of numbers (Ba et al. 2016), and its gradient:
 *
 *     y = γ x̂ + β,   x̂ = (x − mean) / √(variance + ε)
 */
import {put, stepOf, take} from './maps';
import {acrossLanes, sumOf} from './sums';

export function layerNorm(
  x: usize,
  gamma: usize,
  beta: usize,
  rows: i32,
  size: i32,
  epsilon: f32,
  to: usize,
): void {
  const bytes = (<usize>size) << 2;
  for (; rows > 0; rows--) {
    const mean = f32x4.splat(sumOf(x, size) / <f32>size);
    const inverse = inverseOf(x, mean, size, epsilon);
    for (let at: usize = 0; at < bytes; at += stepOf(at, bytes)) {
      const step = stepOf(at, bytes);
      const normal = f32x4.mul(f32x4.sub(take(x + at, step), mean), inverse);
      put(to + at, step, f32x4.add(take(beta + at, step), f32x4.mul(normal, take(gamma + at, step))));
    }
    x += bytes;
    to += bytes;
  }
}

/**
 * dx = (dx̂ − mean of dx̂ − x̂ · mean of dx̂ x̂) / √(variance + ε) with dx̂ = γ dy;  dγ = Σ dy x̂;  dβ = Σ dy
 *
 * The sums are over all rows, of which there may be a million: they are float64, in 16 bytes of scratch for each
 * number of a row.
 */
export function layerNormGradient(
  x: usize,
  gamma: usize,
  dy: usize,
  rows: i32,
  size: i32,
  epsilon: f32,
  dx: usize,
  dGamma: usize,
  dBeta: usize,
  scratch: usize,
): void {
  const bytes = (<usize>size) << 2;
  const ofBeta = scratch + (bytes << 1);
  memory.fill(scratch, 0, bytes << 2);
  for (; rows > 0; rows--) {
    const mean = f32x4.splat(sumOf(x, size) / <f32>size);
    const inverse = inverseOf(x, mean, size, epsilon);
    let all = f32x4.splat(0);
    let along = f32x4.splat(0);
    for (let at: usize = 0; at < bytes; at += stepOf(at, bytes)) {
      const step = stepOf(at, bytes);
      const normal = f32x4.mul(f32x4.sub(take(x + at, step), mean), inverse);
      const dNormal = ownLanes(f32x4.mul(take(gamma + at, step), take(dy + at, step)), step);
      all = f32x4.add(all, dNormal);
      along = f32x4.add(along, f32x4.mul(normal, dNormal));
    }
    all = f32x4.splat(acrossLanes(all) / <f32>size);
    along = f32x4.splat(acrossLanes(along) / <f32>size);
    for (let at: usize = 0; at < bytes; at += stepOf(at, bytes)) {
      const step = stepOf(at, bytes);
      const normal = f32x4.mul(f32x4.sub(take(x + at, step), mean), inverse);
      const upstream = take(dy + at, step);
      const across = f32x4.sub(f32x4.mul(take(gamma + at, step), upstream), all);
      put(dx + at, step, f32x4.mul(f32x4.sub(across, f32x4.mul(normal, along)), inverse));
      addTo(scratch + (at << 1), step, f32x4.mul(upstream, normal));
      addTo(ofBeta + (at << 1), step, upstream);
    }
    x += bytes;
    dy += bytes;
    dx += bytes;
  }
  for (let at: usize = 0; at < bytes; at += 4) {
    store<f32>(dGamma + at, <f32>load<f64>(scratch + (at << 1)));
    store<f32>(dBeta + at, <f32>load<f64>(ofBeta + (at << 1)));
  }
}

/** Adds four numbers, or near the end of a row one, to as many of float64. */
// @ts-ignore: decorator
@inline
function addTo(sums: usize, step: usize, x: v128): void {
  if (step == 16) {
    const high = v128.shuffle<f64>(x, x, 1, 1);
    v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(x)));
    v128.store(sums, f64x2.add(v128.load(sums, 16), f64x2.promote_low_f32x4(high)), 16);
  } else {
    store<f64>(sums, load<f64>(sums) + <f64>f32x4.extract_lane(x, 0));
  }
}

/** 1 / √(variance + ε) of a row. */
function inverseOf(x: usize, mean: v128, size: i32, epsilon: f32): v128 {
  const bytes = (<usize>size) << 2;
  let squares = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += stepOf(at, bytes)) {
    const step = stepOf(at, bytes);
    const deviation = ownLanes(f32x4.sub(take(x + at, step), mean), step);
    squares = f32x4.add(squares, f32x4.mul(deviation, deviation));
  }
  return f32x4.splat(1 / sqrt<f32>(acrossLanes(squares) / <f32>size + epsilon));
}

/** Of one number that was taken into all lanes, the first alone. */
// @ts-ignore: decorator
@inline
function ownLanes(x: v128, step: usize): v128 {
  return step == 16 ? x : v128.and(x, i32x4(-1, 0, 0, 0));
}
