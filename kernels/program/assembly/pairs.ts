/**
 * Small windows: the products of two neighbours at a time with the keys that either sees, and no more.
 *
 * A block of 8 queries sees many more keys than each of them: at w = 5, one window back and causal, 15 where
 * one sees 8, and 18 as they are packed. Two see 9. So scores are made with the keys in the lanes, and values
 * are summed with the channels there: 2 rows of up to 4 vectors. In between, scores lie as those of any
 * block do, and all are the same bits as by blocks.
 *
 * On data in cache w = 5 does 39 % of the work a second of w = 256 so, and 32 % by blocks of 8. Of its time
 * 28 % are sums of values, 26 % scores, 10 % the softmax, which still meets 15 keys, and 12 % packing;
 * another quarter is in no part, and mostly the ends of short loops. What else was tried at w = 5:
 * - a row at a time, 8 vectors of values: 32 %, since V8 loads all 8 before it multiplies, and spills;
 * - values by pairs and scores by blocks: 35 %;
 * - from w = 8 on blocks end where windows do, and pairs win nothing: 53 to 58 % against 55 at w = 8, and
 *   69 % against 72 at w = 16.
 */
import {call} from './call';
import {v, valueBytes} from './head';
import {END, FIRST} from './scores';
import {madd} from './simd';

/** So many bytes behind the keys of a channel are read with them. */
export const SPARE_BYTES: usize = 32;

/** Bytes from a key's scores to the next key's. */
const NEXT: usize = 32;

/**
 * The products of the queries `lane` and `lane + 1` of a block, rows of headDim numbers at `query`, with
 * the keys that they see, of which `keys` holds column j and those after it as [headDim][stride bytes].
 * Up to seven columns more are read, and the products of three of them written.
 */
export function scorePair(
  block: usize,
  lane: usize,
  query: usize,
  j: i32,
  keys: usize,
  stride: usize,
  scores: usize,
): void {
  const at = block + (lane << 2);
  const from = load<i32>(at, FIRST) - j;
  let left = load<i32>(at, END + 4) - j - from;
  let to = scores + (<usize>from << 5) + (lane << 2);
  let key = keys + (<usize>from << 2);
  const bytes = <usize>call.headDim << 2;
  const end = query + bytes;
  for (; left > 0; left -= 16) {
    let c00 = f32x4.splat(0);
    let c01 = c00;
    let c02 = c00;
    let c03 = c00;
    let c10 = c00;
    let c11 = c00;
    let c12 = c00;
    let c13 = c00;
    let t = key;
    if (left > 12) {
      for (let x = query; x != end; x += 4) {
        const k0 = v128.load(t);
        const k1 = v128.load(t, 16);
        const k2 = v128.load(t, 32);
        const k3 = v128.load(t, 48);
        let s = v128.load32_splat(x);
        c00 = madd(s, k0, c00);
        c01 = madd(s, k1, c01);
        c02 = madd(s, k2, c02);
        c03 = madd(s, k3, c03);
        s = v128.load32_splat(x + bytes);
        c10 = madd(s, k0, c10);
        c11 = madd(s, k1, c11);
        c12 = madd(s, k2, c12);
        c13 = madd(s, k3, c13);
        t += stride;
      }
      place(c03, c13, to + 12 * NEXT);
    } else if (left > 8) {
      for (let x = query; x != end; x += 4) {
        const k0 = v128.load(t);
        const k1 = v128.load(t, 16);
        const k2 = v128.load(t, 32);
        let s = v128.load32_splat(x);
        c00 = madd(s, k0, c00);
        c01 = madd(s, k1, c01);
        c02 = madd(s, k2, c02);
        s = v128.load32_splat(x + bytes);
        c10 = madd(s, k0, c10);
        c11 = madd(s, k1, c11);
        c12 = madd(s, k2, c12);
        t += stride;
      }
    } else {
      for (let x = query; x != end; x += 4) {
        const k0 = v128.load(t);
        const k1 = v128.load(t, 16);
        let s = v128.load32_splat(x);
        c00 = madd(s, k0, c00);
        c01 = madd(s, k1, c01);
        s = v128.load32_splat(x + bytes);
        c10 = madd(s, k0, c10);
        c11 = madd(s, k1, c11);
        t += stride;
      }
    }
    place(c00, c10, to);
    if (left > 4) place(c01, c11, to + 4 * NEXT);
    if (left > 8) place(c02, c12, to + 8 * NEXT);
    to += 16 * NEXT;
    key += 64;
  }
}

/** The scores of two queries with four keys in their place. */
// @ts-ignore: decorator
@inline
function place(one: v128, other: v128, to: usize): void {
  const early = v128.shuffle<f32>(one, other, 0, 4, 1, 5);
  const late = v128.shuffle<f32>(one, other, 2, 6, 3, 7);
  v128.store64_lane(to, early, 0);
  v128.store64_lane(to, early, 1, 32);
  v128.store64_lane(to, late, 0, 64);
  v128.store64_lane(to, late, 1, 96);
}

/**
 * Rows `to` and `other`: the factors times the sums of the values by the weights of two queries, those for
 * key j at `weights`. Answers whether all of it is finite.
 */
export function mixPair(
  block: usize,
  lane: usize,
  j: i32,
  weights: usize,
  factor: f32,
  otherFactor: f32,
  to: usize,
  other: usize,
): bool {
  const at = block + (lane << 2);
  const first = load<i32>(at, FIRST);
  const weight = weights + (<usize>(first - j) << 5) + (lane << 2);
  const end = weights + (<usize>(load<i32>(at, END + 4) - j) << 5) + (lane << 2);
  const factors = f32x4.splat(factor);
  const otherFactors = f32x4.splat(otherFactor);
  let value = v + <usize>first * valueBytes;
  const stop = value + valueBytes;
  let doubt = f32x4.splat(0);
  for (; value + 64 <= stop; value += 64) {
    let c00 = f32x4.splat(0);
    let c01 = c00;
    let c02 = c00;
    let c03 = c00;
    let c10 = c00;
    let c11 = c00;
    let c12 = c00;
    let c13 = c00;
    let from = value;
    for (let w = weight; w != end; w += NEXT) {
      const v0 = v128.load(from);
      const v1 = v128.load(from, 16);
      const v2 = v128.load(from, 32);
      const v3 = v128.load(from, 48);
      let s = v128.load32_splat(w);
      c00 = madd(s, v0, c00);
      c01 = madd(s, v1, c01);
      c02 = madd(s, v2, c02);
      c03 = madd(s, v3, c03);
      s = v128.load32_splat(w, 4);
      c10 = madd(s, v0, c10);
      c11 = madd(s, v1, c11);
      c12 = madd(s, v2, c12);
      c13 = madd(s, v3, c13);
      from += valueBytes;
    }
    doubt = f32x4.add(doubt, write(c00, c01, c02, c03, factors, to));
    doubt = f32x4.add(doubt, write(c10, c11, c12, c13, otherFactors, other));
    to += 64;
    other += 64;
  }
  for (; value < stop; value += 4) {
    let c0 = f32x4.splat(0);
    let c1 = c0;
    let from = value;
    for (let w = weight; w != end; w += NEXT) {
      const x = v128.load32_splat(from);
      c0 = madd(v128.load32_splat(w), x, c0);
      c1 = madd(v128.load32_splat(w, 4), x, c1);
      from += valueBytes;
    }
    c0 = f32x4.mul(c0, factors);
    c1 = f32x4.mul(c1, otherFactors);
    v128.store32_lane(to, c0, 0);
    v128.store32_lane(other, c1, 0);
    doubt = f32x4.add(doubt, f32x4.add(f32x4.sub(c0, c0), f32x4.sub(c1, c1)));
    to += 4;
    other += 4;
  }
  return !v128.any_true(f32x4.ne(doubt, doubt));
}

/** Writes 16 numbers times a factor; zeros where all are finite. */
// @ts-ignore: decorator
@inline
function write(c0: v128, c1: v128, c2: v128, c3: v128, factors: v128, to: usize): v128 {
  const x0 = f32x4.mul(c0, factors);
  const x1 = f32x4.mul(c1, factors);
  const x2 = f32x4.mul(c2, factors);
  const x3 = f32x4.mul(c3, factors);
  v128.store(to, x0);
  v128.store(to, x1, 16);
  v128.store(to, x2, 32);
  v128.store(to, x3, 48);
  const sum = f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3));
  return f32x4.sub(sum, sum);
}
