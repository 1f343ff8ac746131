/**
 * One new token of each sequence against the ring of keys that it sees: a softmax of one row, and a sum of values.
 * Bound by memory, of which no more is read than that; nothing is packed, since no key is met twice.
 *
 * The ring is two runs of rows, of which one may be empty. Their scores lie one after the other, in the
 * order of the tokens.
 */
import {begin, call} from './call';
import {allHeads, bias, enterHead, head, k, keyBytes, out, q, v, valueBytes} from './head';
import {Ring} from './ring';
import {placeKey, placeQuery} from './rows';
import {CONSTANT_BYTES, exp, madd, placeConstants} from './simd';

const SELF_SCORE: f32 = -5e4;
// a maximum to start from, as in forward.ts
const FLOOR: f32 = -5e29;

let ring: Ring = changetype<Ring>(0);
// in scratch memory: the query, and its scores, which become weights
let query: usize = 0;
let scores: usize = 0;

/** Bytes of scratch that {@link decode} needs for so many keys of so many channels. */
export function decodeScratch(seen: i32, headDim: i32): i32 {
  return <i32>CONSTANT_BYTES + ((((headDim + 3) & ~3) + ((seen + 7) & ~3)) << 2);
}

/** The call has sequences of one token; its tables of angles are of that token alone. */
export function decode(address: usize, at: usize, scratch: usize): void {
  begin(address);
  ring = changetype<Ring>(at);
  placeConstants(scratch);
  query = scratch + CONSTANT_BYTES;
  scores = query + (<usize>((call.headDim + 3) & ~3) << 2);
  for (let index = 0; index < allHeads(); index++) {
    enterHead(index);
    decodeHead();
  }
}

function decodeHead(): void {
  const rows = <usize>head * <usize>ring.capacity;
  const keys = ring.keys + rows * keyBytes;
  const values = ring.values + rows * valueBytes;
  const exists = ring.exists
    ? ring.exists + ((<usize>(head / call.heads) * <usize>ring.capacity) << 2)
    : 0;
  placeQuery(q, query, 0);
  placeToken(keys, values, exists);

  const first = ring.first;
  const early = min(ring.seen, ring.capacity - first); // in the run up to the end of the ring
  const late = ring.seen - early;
  const after = scores + ((<usize>early) << 2);
  scoreRun(keys + <usize>first * keyBytes, early, ring.scales, scores);
  scoreRun(keys, late, ring.scales + <usize>early * (keyBytes >> 1), after);
  if (bias) addBias();
  if (call.sharedQk) store<f32>(scores + (<usize>(ring.seen - 1) << 2), SELF_SCORE);
  if (exists) {
    hide(exists + ((<usize>first) << 2), early, scores);
    hide(exists, late, after);
  }

  const factor = softmax();
  memory.fill(out, 0, valueBytes);
  addValues(values + <usize>first * valueBytes, early, scores);
  addValues(values, late, after);
  scaleOutput(factor);
}

/** The new token's key and value in their place; zeros where it does not exist. */
function placeToken(keys: usize, values: usize, exists: usize): void {
  const newest = <usize>ring.newest;
  const key = keys + newest * keyBytes;
  const value = values + newest * valueBytes;
  if (exists && load<f32>(exists + (newest << 2)) == 0) {
    memory.fill(key, 0, keyBytes);
    memory.fill(value, 0, valueBytes);
  } else {
    placeKey(k, key, 0);
    memory.copy(value, v, valueBytes);
  }
}

/** to[j] = the query · key j, of `count` keys that lie one after the other. */
function scoreRun(keys: usize, count: i32, scales: usize, to: usize): void {
  if (ring.scales) return scoreScaled(keys, count, scales, to);
  const whole = keyBytes & ~15;
  for (; count >= 4; count -= 4) {
    const k1 = keys + keyBytes;
    const k2 = k1 + keyBytes;
    const k3 = k2 + keyBytes;
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    let c: usize = 0;
    for (; c < whole; c += 16) {
      const x = v128.load(query + c);
      s0 = madd(x, v128.load(keys + c), s0);
      s1 = madd(x, v128.load(k1 + c), s1);
      s2 = madd(x, v128.load(k2 + c), s2);
      s3 = madd(x, v128.load(k3 + c), s3);
    }
    // four sums of four lanes: transposed, and added up
    const low01 = v128.shuffle<f32>(s0, s1, 0, 4, 1, 5);
    const high01 = v128.shuffle<f32>(s0, s1, 2, 6, 3, 7);
    const low23 = v128.shuffle<f32>(s2, s3, 0, 4, 1, 5);
    const high23 = v128.shuffle<f32>(s2, s3, 2, 6, 3, 7);
    const a = v128.shuffle<f64>(low01, low23, 0, 2);
    const b = v128.shuffle<f64>(low01, low23, 1, 3);
    const d = v128.shuffle<f64>(high01, high23, 0, 2);
    const e = v128.shuffle<f64>(high01, high23, 1, 3);
    let sum = f32x4.add(f32x4.add(a, b), f32x4.add(d, e));
    for (; c < keyBytes; c += 4) {
      let x = f32x4.splat(load<f32>(keys + c));
      x = f32x4.replace_lane(x, 1, load<f32>(k1 + c));
      x = f32x4.replace_lane(x, 2, load<f32>(k2 + c));
      x = f32x4.replace_lane(x, 3, load<f32>(k3 + c));
      sum = madd(v128.load_splat<f32>(query + c), x, sum);
    }
    v128.store(to, sum);
    keys = k3 + keyBytes;
    to += 16;
  }
  for (; count > 0; count--) {
    let s = f32x4.splat(0);
    let c: usize = 0;
    for (; c < whole; c += 16) s = madd(v128.load(query + c), v128.load(keys + c), s);
    let sum = sumOf(s);
    for (; c < keyBytes; c += 4) sum += load<f32>(query + c) * load<f32>(keys + c);
    store<f32>(to, sum);
    keys += keyBytes;
    to += 4;
  }
}

/** The same of keys whose channels c and c + headDim / 2 are first multiplied by a scale. */
function scoreScaled(keys: usize, count: i32, scales: usize, to: usize): void {
  const half = keyBytes >> 1;
  const whole = half & ~15;
  for (; count > 0; count--) {
    let s = f32x4.splat(0);
    let c: usize = 0;
    for (; c < whole; c += 16) {
      const x = f32x4.mul(v128.load(query + c), v128.load(keys + c));
      const pair = madd(v128.load(query + half + c), v128.load(keys + half + c), x);
      s = madd(pair, v128.load(scales + c), s);
    }
    let sum = sumOf(s);
    for (; c < half; c += 4) {
      const x = load<f32>(query + c) * load<f32>(keys + c);
      const y = load<f32>(query + half + c) * load<f32>(keys + half + c);
      sum += (x + y) * load<f32>(scales + c);
    }
    store<f32>(to, sum);
    keys += keyBytes;
    scales += half;
    to += 4;
  }
}

// @ts-ignore: decorator
@inline
function sumOf(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) +
    f32x4.extract_lane(x, 1) +
    (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

function addBias(): void {
  const from = bias + ((<usize>ring.biasOffset) << 2);
  const bytes = (<usize>ring.seen) << 2;
  for (let s: usize = 0; s < bytes; s += 4) {
    store<f32>(scores + s, load<f32>(scores + s) + load<f32>(from + s));
  }
}

function hide(exists: usize, count: i32, to: usize): void {
  for (; count > 0; count--) {
    if (load<f32>(exists) == 0) store<f32>(to, -Infinity);
    exists += 4;
    to += 4;
  }
}

/** Scores become weights, of which the sum's reciprocal is answered; 0 where no key is seen. */
function softmax(): f32 {
  const end = scores + ((<usize>ring.seen) << 2);
  // whole fours, by keys of no weight
  v128.store(end, f32x4.splat(-Infinity));
  let top = f32x4.splat(FLOOR);
  for (let s = scores; s < end; s += 16) top = f32x4.pmax(top, v128.load(s));
  const most = max<f32>(
    max<f32>(f32x4.extract_lane(top, 0), f32x4.extract_lane(top, 1)),
    max<f32>(f32x4.extract_lane(top, 2), f32x4.extract_lane(top, 3)),
  );
  let sums = f32x4.splat(0);
  for (let s = scores; s < end; s += 16) {
    const weight = exp(f32x4.sub(v128.load(s), f32x4.splat(most)));
    sums = f32x4.add(sums, weight);
    v128.store(s, weight);
  }
  const sum = sumOf(sums);
  return sum == 0 ? 0 : 1 / sum;
}

/** out += the values of `count` rows, by their weights; one of 0 takes nothing, be it of NaN. */
function addValues(values: usize, count: i32, weights: usize): void {
  const end = weights + ((<usize>count) << 2);
  let c: usize = 0;
  for (; c + 64 <= valueBytes; c += 64) {
    let a0 = v128.load(out + c);
    let a1 = v128.load(out + c, 16);
    let a2 = v128.load(out + c, 32);
    let a3 = v128.load(out + c, 48);
    let row = values + c;
    for (let at = weights; at < end; at += 4) {
      if (load<f32>(at) != 0) {
        const weight = v128.load_splat<f32>(at);
        a0 = madd(weight, v128.load(row), a0);
        a1 = madd(weight, v128.load(row, 16), a1);
        a2 = madd(weight, v128.load(row, 32), a2);
        a3 = madd(weight, v128.load(row, 48), a3);
      }
      row += valueBytes;
    }
    v128.store(out + c, a0);
    v128.store(out + c, a1, 16);
    v128.store(out + c, a2, 32);
    v128.store(out + c, a3, 48);
  }
  for (; c < valueBytes; c += 4) {
    let sum = load<f32>(out + c);
    let row = values + c;
    for (let at = weights; at < end; at += 4) {
      const weight = load<f32>(at);
      if (weight != 0) sum += weight * load<f32>(row);
      row += valueBytes;
    }
    store<f32>(out + c, sum);
  }
}

function scaleOutput(factor: f32): void {
  for (let c: usize = 0; c < valueBytes; c += 4) store<f32>(out + c, load<f32>(out + c) * factor);
}
