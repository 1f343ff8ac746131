/** A step of Adam, each operation rounded by itself: a fused multiply-add would give other bits. */

/** [m, v, w, g] -> [m', v', w'], of `count` numbers each, the equations in kernels/tfjs/adam.ts. */
export function adam(
  m: usize,
  v: usize,
  w: usize,
  g: usize,
  count: i32,
  beta1: f32,
  rest1: f32,
  left1: f32,
  beta2: f32,
  rest2: f32,
  left2: f32,
  epsilon: f32,
  rate: f32,
  newM: usize,
  newV: usize,
  newW: usize,
): void {
  let at: usize = 0;
  for (const end = (<usize>count) << 2; at < end; at += 16) {
    const isWhole = at + 16 <= end;
    const gradient = numbers(g + at, isWhole);
    const first = f32x4.add(
      f32x4.mul(numbers(m + at, isWhole), f32x4.splat(beta1)),
      f32x4.mul(gradient, f32x4.splat(rest1)),
    );
    const second = f32x4.add(
      f32x4.mul(numbers(v + at, isWhole), f32x4.splat(beta2)),
      f32x4.mul(f32x4.mul(gradient, gradient), f32x4.splat(rest2)),
    );
    const root = f32x4.sqrt(f32x4.div(second, f32x4.splat(left2)));
    const change = f32x4.div(
      f32x4.div(first, f32x4.splat(left1)),
      f32x4.add(root, f32x4.splat(epsilon)),
    );
    const value = f32x4.add(f32x4.mul(change, f32x4.splat(rate)), numbers(w + at, isWhole));
    keep(first, newM + at, isWhole);
    keep(second, newV + at, isWhole);
    keep(value, newW + at, isWhole);
    if (!isWhole) at -= 12; // the last ones, one by one
  }
}

// @ts-ignore: decorator
@inline
function numbers(at: usize, isWhole: bool): v128 {
  return isWhole ? v128.load(at) : v128.load_splat<f32>(at);
}

// @ts-ignore: decorator
@inline
function keep(value: v128, at: usize, isWhole: bool): void {
  if (isWhole) v128.store(at, value);
  else v128.store_lane<f32>(at, value, 0);
}
