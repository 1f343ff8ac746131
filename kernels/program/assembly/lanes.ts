/** Rows become lanes and lanes become rows, four by four. */

/**
 * to + c · step = number c of each of four rows of `length` numbers, `bytes` apart. Where there are
 * fewer `rows`, the last stands for those that are missing.
 */
export function intoLanes(
  row: usize,
  bytes: usize,
  rows: i32,
  length: i32,
  to: usize,
  step: usize,
  factor: f32 = 1,
): void {
  const factors = f32x4.splat(factor);
  let r0 = row;
  let r1 = row + <usize>min(1, rows - 1) * bytes;
  let r2 = row + <usize>min(2, rows - 1) * bytes;
  let r3 = row + <usize>min(3, rows - 1) * bytes;
  let c = 0;
  for (; c + 4 <= length; c += 4) {
    const x0 = f32x4.mul(v128.load(r0), factors);
    const x1 = f32x4.mul(v128.load(r1), factors);
    const x2 = f32x4.mul(v128.load(r2), factors);
    const x3 = f32x4.mul(v128.load(r3), factors);
    const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5);
    const high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
    const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5);
    const high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f64>(low01, low23, 0, 2));
    to += step;
    v128.store(to, v128.shuffle<f64>(low01, low23, 1, 3));
    to += step;
    v128.store(to, v128.shuffle<f64>(high01, high23, 0, 2));
    to += step;
    v128.store(to, v128.shuffle<f64>(high01, high23, 1, 3));
    to += step;
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
  }
  for (; c < length; c++) {
    store<f32>(to, load<f32>(r0) * factor);
    store<f32>(to, load<f32>(r1) * factor, 4);
    store<f32>(to, load<f32>(r2) * factor, 8);
    store<f32>(to, load<f32>(r3) * factor, 12);
    to += step;
    r0 += 4;
    r1 += 4;
    r2 += 4;
    r3 += 4;
  }
}

/** to[c][0…7] = number c of eight rows, `bytes` apart, times `factor`; the last stands for those that are missing. */
export function eightIntoLanes(
  row: usize,
  bytes: usize,
  rows: i32,
  length: i32,
  to: usize,
  factor: f32 = 1,
): void {
  const after = min(4, rows - 1);
  intoLanes(row, bytes, min(4, rows), length, to, 32, factor);
  intoLanes(row + <usize>after * bytes, bytes, max(1, rows - 4), length, to + 16, 32, factor);
}

/** Packs `count` rows, `bytes` apart, four by four as [length][4]. */
export function packFours(row: usize, bytes: usize, count: i32, length: i32, to: usize): void {
  for (; count > 0; count -= 4) {
    intoLanes(row, bytes, min(4, count), length, to, 16);
    row += bytes << 2;
    to += (<usize>length) << 4;
  }
}

/**
 * Number c of each of up to four rows of `length` numbers, which lie one after the other, = lane of
 * from[c][8], times the factor of the row. Lanes that are no rows repeat the last. Answers whether
 * all are finite; finite ones whose sum is not are answered so too.
 */
export function fromLanes(
  from: usize,
  factors: v128,
  rows: i32,
  length: i32,
  to: usize,
): bool {
  const bytes = (<usize>length) << 2;
  let r0 = to;
  let r1 = to + <usize>min(1, rows - 1) * bytes;
  let r2 = to + <usize>min(2, rows - 1) * bytes;
  let r3 = to + <usize>min(3, rows - 1) * bytes;
  let doubt = f32x4.splat(0);
  let c = 0;
  for (; c + 4 <= length; c += 4) {
    const x0 = f32x4.mul(v128.load(from), factors);
    const x1 = f32x4.mul(v128.load(from, 32), factors);
    const x2 = f32x4.mul(v128.load(from, 64), factors);
    const x3 = f32x4.mul(v128.load(from, 96), factors);
    from += 128;
    const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5);
    const high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
    const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5);
    const high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
    v128.store(r0, v128.shuffle<f64>(low01, low23, 0, 2));
    v128.store(r1, v128.shuffle<f64>(low01, low23, 1, 3));
    v128.store(r2, v128.shuffle<f64>(high01, high23, 0, 2));
    v128.store(r3, v128.shuffle<f64>(high01, high23, 1, 3));
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
    const four = f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3));
    doubt = f32x4.add(doubt, f32x4.sub(four, four));
  }
  for (; c < length; c++) {
    const x = f32x4.mul(v128.load(from), factors);
    from += 32;
    store<f32>(r0, f32x4.extract_lane(x, 0));
    store<f32>(r1, f32x4.extract_lane(x, 1));
    store<f32>(r2, f32x4.extract_lane(x, 2));
    store<f32>(r3, f32x4.extract_lane(x, 3));
    r0 += 4;
    r1 += 4;
    r2 += 4;
    r3 += 4;
    doubt = f32x4.add(doubt, f32x4.sub(x, x));
  }
  return !v128.any_true(f32x4.ne(doubt, doubt));
}
