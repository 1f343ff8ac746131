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

/** to += factor · Rᵀ from; without a table, R is 1. */
export function addRotatedBack(from: usize, to: usize, table: usize, factor: f32): void {
  const half: usize = (<usize>(d >> 1)) << 2;
  const end: usize = (<usize>d) << 2;
  if (!table) {
    for (let c: usize = 0; c < end; c += 4) {
      store<f32>(to + c, load<f32>(to + c) + factor * load<f32>(from + c));
    }
    return;
  }
  for (let c: usize = 0; c < half; c += 4) {
    const x = load<f32>(from + c);
    const y = load<f32>(from + half + c);
    const cos = load<f32>(table + c);
    const sin = load<f32>(table + half + c);
    store<f32>(to + c, load<f32>(to + c) + factor * (x * cos + y * sin));
    store<f32>(to + half + c, load<f32>(to + half + c) + factor * (y * cos - x * sin));
  }
}

/** 1 / max(‖x‖, 1e-12) of a row. */
export function inverseNorm(x: usize): f32 {
  let square: f32 = 0;
  for (let c: usize = 0; c < (<usize>d) << 2; c += 4) square += load<f32>(x + c) * load<f32>(x + c);
  return 1 / sqrt<f32>(max<f32>(square, 1e-24));
}

/** Key j as the queries meet it; `slot` counts from where the group's phases begin. */
export function prepareKey(from: usize, to: usize, slot: i32): void {
  const bytes: usize = (<usize>d) << 2;
  if (keyTable) rotate(from, to, keyTable + <usize>slot * bytes);
  else memory.copy(to, from, bytes);
  if (!sharedQk) return;
  const norm = inverseNorm(from);
  for (let c: usize = 0; c < bytes; c += 4) store<f32>(to + c, load<f32>(to + c) * norm);
}

/** Query i, scaled and rotated. */
export function prepareQuery(from: usize, to: usize, slot: i32): void {
  const bytes: usize = (<usize>d) << 2;
  if (queryTable) rotate(from, to, queryTable + <usize>slot * bytes);
  else memory.copy(to, from, bytes);
  for (let c: usize = 0; c < bytes; c += 4) store<f32>(to + c, load<f32>(to + c) * scale);
}

/** Writes a row of `length` numbers, times `factor`, into lane `lane` of a [length][8] block. */
export function intoLane(row: usize, block: usize, lane: i32, length: i32, factor: f32): void {
  const end = row + ((<usize>length) << 2);
  let to = block + ((<usize>lane) << 2);
  for (let from = row; from < end; from += 4) {
    store<f32>(to, load<f32>(from) * factor);
    to += 32;
  }
}
