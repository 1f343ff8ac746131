/** Rows of more bytes are copied as a block, which takes longer to begin than a loop. */
const SHORT: usize = 1024;

/** Copies so many rows of whole numbers, which begin `fromApart` bytes apart, to where they begin `toApart` apart. */
export function copyRows(
  from: usize,
  fromApart: usize,
  rows: i32,
  bytes: usize,
  to: usize,
  toApart: usize,
): void {
  const whole = bytes & ~15;
  for (; rows > 0; rows--) {
    if (bytes > SHORT) {
      memory.copy(to, from, bytes);
    } else {
      let at: usize = 0;
      for (; at < whole; at += 16) v128.store(to + at, v128.load(from + at));
      for (; at < bytes; at += 4) store<f32>(to + at, load<f32>(from + at));
    }
    from += fromApart;
    to += toApart;
  }
}
