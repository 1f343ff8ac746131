/** One problem, told once by configure(); and who sees whom in it. */

/** Heads of all sequences, their tokens, sizes of a key and of a value. */
export let heads: i32 = 0;
export let n: i32 = 0;
export let d: i32 = 0;
export let dv: i32 = 0;
/** Window, and windows looked at before and after. */
export let w: i32 = 0;
export let back: i32 = 0;
export let forward: i32 = 0;
export let causal: bool = false;
export let exact: bool = false;
export let sharedQk: bool = false;
/** Factor of the queries. */
export let scale: f32 = 1;
/** Dropout: weights whose 32 bits are below the threshold go, the others grow by the factor. */
export let threshold: u32 = 0;
export let factor: f32 = 1;
export let seed: u32 = 0;

/** Rotary tables [length][d], cos in the first half of a row and sin in the second; 0 for none. */
export let queryTable: usize = 0;
export let keyTable: usize = 0;

export function configure(
  allHeads: i32,
  tokens: i32,
  keySize: i32,
  valueSize: i32,
  window: i32,
  lookBackward: i32,
  lookForward: i32,
  isCausal: bool,
  isExact: bool,
  isSharedQk: bool,
  queryScale: f32,
): void {
  heads = allHeads;
  n = tokens;
  d = keySize;
  dv = valueSize;
  w = window;
  back = lookBackward;
  forward = lookForward;
  causal = isCausal;
  exact = isExact;
  sharedQk = isSharedQk;
  scale = queryScale;
}

export function configureDropout(below: u32, keptFactor: f32, dropoutSeed: u32): void {
  threshold = below;
  factor = keptFactor;
  seed = dropoutSeed;
}

export function configureRotary(ofQueries: usize, ofKeys: usize): void {
  queryTable = ofQueries;
  keyTable = ofKeys;
}

/** Whether keys are changed before they meet queries. */
// @ts-ignore: decorator
@inline
export function transformsKeys(): bool {
  return sharedQk || keyTable != 0;
}

/** First key that query i sees. */
// @ts-ignore: decorator
@inline
export function firstKey(i: i32): i32 {
  const first = (i / w - back) * w;
  return max(0, exact ? max(first, i - back * w) : first);
}

/** One past the last key that query i sees. */
// @ts-ignore: decorator
@inline
export function endKey(i: i32): i32 {
  if (causal) return i + 1;
  const end = (i / w + forward + 1) * w;
  return min(n, exact ? min(end, i + forward * w + 1) : end);
}

/**
 * Queries that share one context in scratch memory: one window, or as many as have 64 tokens.
 */
// @ts-ignore: decorator
@inline
export function groupLength(): i32 {
  return w >= 64 ? w : ((63 + w) / w) * w;
}

/** Most keys that a group sees. */
export function contextLength(): i32 {
  return min(n, groupLength() + (back + forward) * w);
}

/** The position in row 0 of the tables for the group that begins at `start`. */
// @ts-ignore: decorator
@inline
export function phaseOrigin(start: i32): i32 {
  return max(0, (start / w - back) * w);
}

// @ts-ignore: decorator
@inline
export function roundUp8(x: i32): i32 {
  return (x + 7) & ~7;
}

/** Fills with zeros what the backward pass adds to. */
export function clear(pointer: usize, bytes: usize): void {
  memory.fill(pointer, 0, bytes);
}
