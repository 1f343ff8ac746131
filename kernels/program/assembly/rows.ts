/** Rows of tensors on their way in and out: rotation, normalisation, transposition. */
import {d, keyTable, queryTable, scale, sharedQk} from './problem';
import {madd} from './simd';

/** to = R from, by one row of a rotary table. */
export function rotate(from: usize, to: usize, table: usize): void {
  const half: usize = (<usize>(d >> 1)) << 2;
  let c: usize = 0;
  for (; c + 16 <= half; c += 16) {
    const x = v128.load(from + c);
    const y = v128.load(from + half + c);
    const cos = v128.load(table + c);
    const sin = v128.load(table + half + c);
    v128.store(to + c, f32x4.sub(f32x4.mul(x, cos), f32x4.mul(y, sin)));
    v128.store(to + half + c, madd(y, cos, f32x4.mul(x, sin)));
  }
  for (; c < half; c += 4) {
    const x = load<f32>(from + c);
    const y = load<f32>(from + half + c);
    const cos = load<f32>(table + c);
    const sin = load<f32>(table + half + c);
    store<f32>(to + c, x * cos - y * sin);
    store<f32>(to + half + c, y * cos + x * sin);
  }
}

/** x = Rᵀ x, by one row of a rotary table. */
export function rotateBack(x: usize, table: usize): void {
  const half: usize = (<usize>(d >> 1)) << 2;
  for (let c: usize = 0; c < half; c += 4) {
    const first = load<f32>(x + c);
    const second = load<f32>(x + half + c);
    const cos = load<f32>(table + c);
    const sin = load<f32>(table + half + c);
    store<f32>(x + c, first * cos + second * sin);
    store<f32>(x + half + c, second * cos - first * sin);
  }
}

/** to += from, rows of `length` numbers. */
export function addRow(from: usize, to: usize, length: i32): void {
  const end = from + ((<usize>length) << 2);
  for (; from + 16 <= end; from += 16) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    to += 16;
  }
  for (; from < end; from += 4) {
    store<f32>(to, load<f32>(to) + load<f32>(from));
    to += 4;
  }
}

/** to = factor · from, rows of `length` numbers; in place too. */
export function scaleRow(from: usize, to: usize, length: i32, factor: f32): void {
  const end = from + ((<usize>length) << 2);
  const factors = f32x4.splat(factor);
  for (; from + 16 <= end; from += 16) {
    v128.store(to, f32x4.mul(v128.load(from), factors));
    to += 16;
  }
  for (; from < end; from += 4) {
    store<f32>(to, load<f32>(from) * factor);
    to += 4;
  }
}

/** 1 / max(‖x‖, 1e-12) of a row. */
export function inverseNorm(x: usize): f32 {
  let square: f32 = 0;
  for (let c: usize = 0; c < (<usize>d) << 2; c += 4) square += load<f32>(x + c) * load<f32>(x + c);
  return 1 / sqrt<f32>(max<f32>(square, 1e-24));
}

/** Where key j is as the queries meet it: `from`, or changed at `to`; `slot` counts from where the group's phases begin. */
export function keyRow(from: usize, to: usize, slot: i32): usize {
  const at = rotatedRow(from, to, keyTable, slot);
  if (!sharedQk) return at;
  scaleRow(at, to, d, inverseNorm(from));
  return to;
}

/** to = query i, rotated and scaled. */
export function queryRow(from: usize, to: usize, slot: i32): void {
  scaleRow(rotatedRow(from, to, queryTable, slot), to, d, scale);
}

// @ts-ignore: decorator
@inline
function rotatedRow(from: usize, to: usize, table: usize, slot: i32): usize {
  if (!table) return from;
  rotate(from, to, table + ((<usize>slot * <usize>d) << 2));
  return to;
}
