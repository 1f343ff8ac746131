/** What happens to scores besides q · k, four keys of one query at a time; both passes come here. */

/** The score of what is not seen: finite, since −∞ minus −∞ is NaN. Its weight is exactly 0. */
export const HIDDEN = '-1e38';
/** The least maximum of a row: one that sees nothing keeps it. */
export const FLOOR = '-5e29';

/** Bits tell, since a compiler may take it for granted that no number is NaN or infinite. */
export const FINITE = `
fn finite(x: vec4<f32>) -> vec4<f32> { return select(x, vec4<f32>(0.0), unusual(x)); }
fn unusual(x: vec4<f32>) -> vec4<bool> {
  return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7f800000u)) == vec4<u32>(0x7f800000u);
}`;

/**
 * `adjusted`: factors of the keys (0 hides a key), bias (−∞ hides), and a token's score with itself.
 * `biasAt(i)` is number i of the biases.
 */
export const ADJUSTED = `
fn adjusted(score: vec4<f32>, head: u32, query: vec4<u32>, key: vec4<u32>, factor: vec4<f32>) -> vec4<f32> {
  var s = score * factor;
  if (u.biased != 0u) {
    let context = (1u + u.lookBackward + u.lookForward) * u.windowSize;
    let ofHead = (head % u.biasHeads) * u.windowSize;
    let inWindow = query % u.windowSize;
    // keys before the context wrap around, and are hidden by the band like those behind it
    let slot = min(key + u.lookBackward * u.windowSize - (query - inWindow), vec4<u32>(context - 1u));
    let at = (ofHead + inWindow) * context + slot;
    let bias = vec4<f32>(biasAt(at.x), biasAt(at.y), biasAt(at.z), biasAt(at.w));
    s = select(s + bias, vec4<f32>(${HIDDEN}), bitcast<vec4<u32>>(bias) == vec4<u32>(0xff800000u));
  }
  s = select(s, vec4<f32>(-5e4), (key == query) & vec4<bool>(u.sharedQk != 0u));
  return select(s, vec4<f32>(${HIDDEN}), factor == vec4<f32>(0.0));
}`;

/** The random numbers of dropout, bit for bit those of src/attention/dropout.ts. */
export const DROPOUT = `
fn hash(bits: u32) -> u32 {
  var x = (bits ^ (bits >> 16u)) * 0x85ebca6bu;
  x = (x ^ (x >> 13u)) * 0xc2b2ae35u;
  return x ^ (x >> 16u);
}
// where the numbers of a query begin, and how they go on
fn randomOf(head: u32, query: u32) -> vec2<u32> {
  let first = hash(hash(hash(u.seed) + head) + query);
  return vec2<u32>(first, hash(first ^ 0x9e3779b9u) | 1u);
}
fn kept(first: vec4<u32>, step: vec4<u32>, key: vec4<u32>) -> vec4<f32> {
  var x = first + key * step;
  x = (x ^ (x >> vec4<u32>(16u))) * 0x85ebca6bu;
  x = (x ^ (x >> vec4<u32>(13u))) * 0xc2b2ae35u;
  x = x ^ (x >> vec4<u32>(16u));
  return select(vec4<f32>(0.0), vec4<f32>(u.keptFactor), x >= vec4<u32>(u.dropThreshold));
}`;

/** 0 for a key that the mask hides, else what its products are multiplied by; keys are read by key(row, c). */
export const FACTOR_OF_KEY = `
fn factorOfKey(head: u32, j: u32) -> f32 {
  let row = head / (u.batch * u.heads / u.maskRows);
  if (u.masked != 0u && mask[row * u.length + j] == 0) { return 0.0; }
  if (u.sharedQk == 0u) { return 1.0; }
  var square = 0.0;
  for (var c = 0u; 4u * c < u.headDim; c++) {
    let x = key(head * u.length + j, c);
    square += dot(x, x);
  }
  return 1.0 / clamp(sqrt(square), 1e-12, 5e37); // never 0, which hides: a square may be infinite
}`;
