/** Sums along one axis: x [outer][count][inner] -> to [outer][inner]. */
export function sums(x: usize, outer: i32, count: i32, inner: i32, to: usize): void {
  const row = (<usize>inner) << 2;
  const all = (<usize>count) * row;
  for (; outer > 0; outer--) {
    if (inner == 1) store<f32>(to, sumOf(x, count));
    else sumRows(x, count, row, to);
    x += all;
    to += row;
  }
}

/** The sum of four. */
// @ts-ignore: decorator
@inline
export function acrossLanes(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) +
    f32x4.extract_lane(x, 1) +
    (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

/** The sum of so many numbers. */
export function sumOf(x: usize, count: i32): f32 {
  const end = x + ((<usize>count) << 2);
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  for (; x + 32 <= end; x += 32) {
    a = f32x4.add(a, v128.load(x));
    b = f32x4.add(b, v128.load(x, 16));
  }
  let sum = acrossLanes(f32x4.add(a, b));
  for (; x < end; x += 4) sum += load<f32>(x);
  return sum;
}

/** to = the sum of so many rows of so many bytes, four of them at a time while there are four. */
function sumRows(x: usize, count: i32, row: usize, to: usize): void {
  memory.fill(to, 0, row);
  const end = to + row;
  for (; count >= 4; count -= 4) {
    let at = to;
    for (; at + 16 <= end; at += 16) {
      const y = x + row;
      const z = y + (row << 1);
      const low = f32x4.add(v128.load(x), v128.load(y));
      const high = f32x4.add(v128.load(y + row), v128.load(z));
      v128.store(at, f32x4.add(v128.load(at), f32x4.add(low, high)));
      x += 16;
    }
    for (; at < end; at += 4) {
      const y = x + row;
      const z = y + (row << 1);
      store<f32>(at, load<f32>(at) + (load<f32>(x) + load<f32>(y) + (load<f32>(y + row) + load<f32>(z)))); // prettier-ignore
      x += 4;
    }
    x += row * 3;
  }
  for (; count > 0; count--) {
    for (let at = to; at < end; at += 4) {
      store<f32>(at, load<f32>(at) + load<f32>(x));
      x += 4;
    }
  }
}
