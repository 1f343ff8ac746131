/** Rows become lanes and lanes become rows, four by four. */

/** to + c · step = number c of each of four rows of `length` numbers, times `factor`. */
export function intoLanes(
  r0: usize,
  r1: usize,
  r2: usize,
  r3: usize,
  length: i32,
  factor: f32,
  to: usize,
  step: usize,
): void {
  const factors = f32x4.splat(factor);
  let c = 0;
  for (; c + 4 <= length; c += 4) {
    const x0 = v128.load(r0);
    const x1 = v128.load(r1);
    const x2 = v128.load(r2);
    const x3 = v128.load(r3);
    const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5);
    const high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
    const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5);
    const high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
    v128.store(to, f32x4.mul(v128.shuffle<f64>(low01, low23, 0, 2), factors));
    to += step;
    v128.store(to, f32x4.mul(v128.shuffle<f64>(low01, low23, 1, 3), factors));
    to += step;
    v128.store(to, f32x4.mul(v128.shuffle<f64>(high01, high23, 0, 2), factors));
    to += step;
    v128.store(to, f32x4.mul(v128.shuffle<f64>(high01, high23, 1, 3), factors));
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

/** to[c][0…7] = factor · number c of eight rows, `bytes` apart. */
export function eightIntoLanes(row: usize, bytes: usize, length: i32, factor: f32, to: usize): void {
  const after = row + 4 * bytes;
  intoLanes(row, row + bytes, row + 2 * bytes, row + 3 * bytes, length, factor, to, 32);
  intoLanes(after, after + bytes, after + 2 * bytes, after + 3 * bytes, length, factor, to + 16, 32);
}

/**
 * Number c of each of four rows of `length` numbers = from + c · step, times the factor of its row.
 * Answers whether all of them are finite.
 */
export function fromLanes(
  from: usize,
  step: usize,
  factors: v128,
  length: i32,
  r0: usize,
  r1: usize,
  r2: usize,
  r3: usize,
): bool {
  let doubt = f32x4.splat(0);
  let c = 0;
  for (; c + 4 <= length; c += 4) {
    const x0 = f32x4.mul(v128.load(from), factors);
    from += step;
    const x1 = f32x4.mul(v128.load(from), factors);
    from += step;
    const x2 = f32x4.mul(v128.load(from), factors);
    from += step;
    const x3 = f32x4.mul(v128.load(from), factors);
    from += step;
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
    from += step;
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
