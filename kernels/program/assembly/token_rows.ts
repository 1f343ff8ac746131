/**
 * Small products of a token at a time: each token has so many rows of `bytes`. A table tells for each row
 * where that of the first token lies and how far the next token's is, 0 where all share one. Memory is what
 * takes the time, so that nothing is gained where products and sums are rounded once.
 */
const ENTRY: usize = 8;

/** to[token][i] = Σ_j factors[token][i][j] · row j of the token, for i < rows and j < count. */
export function combine(
  factors: usize,
  table: usize,
  count: i32,
  tokens: i32,
  rows: i32,
  bytes: usize,
  to: usize,
): void {
  for (; tokens > 0; tokens--) {
    for (let i = 0; i < rows; i++) {
      combineInto(factors, table, count, bytes, to);
      factors += (<usize>count) << 2;
      to += bytes;
    }
    advance(table, count);
  }
}

/** to[token][i][j] = x[token][i] · row j of the token, for i < rows and j < count. */
export function dots(
  x: usize,
  table: usize,
  count: i32,
  tokens: i32,
  rows: i32,
  bytes: usize,
  to: usize,
): void {
  for (; tokens > 0; tokens--) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < count; j++) {
        store<f32>(to, dot(x, load<usize>(table + <usize>j * ENTRY), bytes));
        to += 4;
      }
      x += bytes;
    }
    advance(table, count);
  }
}

function advance(table: usize, count: i32): void {
  for (; count > 0; count--) {
    store<usize>(table, load<usize>(table) + load<usize>(table, 4));
    table += ENTRY;
  }
}

function combineInto(factors: usize, table: usize, count: i32, bytes: usize, to: usize): void {
  const end = table + <usize>count * ENTRY;
  let c: usize = 0;
  for (; c + 64 <= bytes; c += 64) {
    let a0 = f32x4.splat(0);
    let a1 = f32x4.splat(0);
    let a2 = f32x4.splat(0);
    let a3 = f32x4.splat(0);
    let at = factors;
    for (let entry = table; entry < end; entry += ENTRY) {
      const factor = v128.load32_splat(at);
      const row = load<usize>(entry) + c;
      a0 = f32x4.add(a0, f32x4.mul(factor, v128.load(row)));
      a1 = f32x4.add(a1, f32x4.mul(factor, v128.load(row, 16)));
      a2 = f32x4.add(a2, f32x4.mul(factor, v128.load(row, 32)));
      a3 = f32x4.add(a3, f32x4.mul(factor, v128.load(row, 48)));
      at += 4;
    }
    v128.store(to + c, a0);
    v128.store(to + c, a1, 16);
    v128.store(to + c, a2, 32);
    v128.store(to + c, a3, 48);
  }
  for (; c < bytes; c += 4) {
    let sum: f32 = 0;
    let at = factors;
    for (let entry = table; entry < end; entry += ENTRY) {
      sum += load<f32>(at) * load<f32>(load<usize>(entry) + c);
      at += 4;
    }
    store<f32>(to + c, sum);
  }
}

function dot(x: usize, y: usize, bytes: usize): f32 {
  const end = x + bytes;
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  for (; x + 64 <= end; x += 64) {
    a0 = f32x4.add(a0, f32x4.mul(v128.load(x), v128.load(y)));
    a1 = f32x4.add(a1, f32x4.mul(v128.load(x, 16), v128.load(y, 16)));
    a2 = f32x4.add(a2, f32x4.mul(v128.load(x, 32), v128.load(y, 32)));
    a3 = f32x4.add(a3, f32x4.mul(v128.load(x, 48), v128.load(y, 48)));
    y += 64;
  }
  a0 = f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3));
  let sum =
    f32x4.extract_lane(a0, 0) +
    f32x4.extract_lane(a0, 1) +
    (f32x4.extract_lane(a0, 2) + f32x4.extract_lane(a0, 3));
  for (; x < end; x += 4) {
    sum += load<f32>(x) * load<f32>(y);
    y += 4;
  }
  return sum;
}
