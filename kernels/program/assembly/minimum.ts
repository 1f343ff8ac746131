/** The lesser of two numbers, of as many pairs as there are. */

/**
 * to = b < a ? b : a, which is a where one is NaN, as TF.js has it; each input goes on by so many bytes,
 * 4, or 0 where one number stands for all.
 */
export function minimum(a: usize, stepA: i32, b: usize, stepB: i32, count: i32, to: usize): void {
  const end = to + ((<usize>count) << 2);
  for (; to + 16 <= end; to += 16) {
    v128.store(to, f32x4.pmin(four(a, stepA), four(b, stepB)));
    a += stepA << 2;
    b += stepB << 2;
  }
  for (; to < end; to += 4) {
    v128.store_lane<f32>(to, f32x4.pmin(v128.load_splat<f32>(a), v128.load_splat<f32>(b)), 0);
    a += stepA;
    b += stepB;
  }
}

// @ts-ignore: decorator
@inline
function four(at: usize, step: i32): v128 {
  return step ? v128.load(at) : v128.load_splat<f32>(at);
}
