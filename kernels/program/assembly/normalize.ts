/** What a layer normalization is in TF.js: a batch normalization whose numbers all have their own. */

/** to = (x − mean) / √(variance + epsilon) · scale + offset, of so many numbers; 0 for no scale or offset. */
export function normalize(
  x: usize,
  mean: usize,
  variance: usize,
  scale: usize,
  offset: usize,
  epsilon: f32,
  count: i32,
  to: usize,
): void {
  const end = (<usize>count) << 2;
  let at: usize = 0;
  for (; at + 16 <= end; at += 16) {
    const root = f32x4.sqrt(f32x4.add(v128.load(variance + at), f32x4.splat(epsilon)));
    let y = f32x4.div(f32x4.sub(v128.load(x + at), v128.load(mean + at)), root);
    if (scale) y = f32x4.mul(y, v128.load(scale + at));
    if (offset) y = f32x4.add(y, v128.load(offset + at));
    v128.store(to + at, y);
  }
  for (; at < end; at += 4) {
    let y = (load<f32>(x + at) - load<f32>(mean + at)) / sqrt<f32>(load<f32>(variance + at) + epsilon); // prettier-ignore
    if (scale) y *= load<f32>(scale + at);
    if (offset) y += load<f32>(offset + at);
    store<f32>(to + at, y);
  }
}
