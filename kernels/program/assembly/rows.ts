/** Rows of tensors on their way in and out: rotation, normalisation, transposition. */
import {call} from './call';
import {madd} from './simd';

/** to = R from, by one row of a table of angles; in place too. */
export function rotate(from: usize, to: usize, table: usize): void {
  const half: usize = <usize>(call.headDim >> 1) << 2;
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

/** x = Rᵀ x, by one row of a table of angles. */
export function rotateBack(x: usize, table: usize): void {
  const half: usize = <usize>(call.headDim >> 1) << 2;
  for (let c: usize = 0; c < half; c += 4) {
    const first = load<f32>(x + c);
    const second = load<f32>(x + half + c);
    const cos = load<f32>(table + c);
    const sin = load<f32>(table + half + c);
    store<f32>(x + c, first * cos + second * sin);
    store<f32>(x + half + c, second * cos - first * sin);
  }
}

/** to += factor · from, rows of `length` numbers. */
export function addRow(from: usize, to: usize, length: i32, factor: f32): void {
  const end = from + ((<usize>length) << 2);
  const factors = f32x4.splat(factor);
  for (; from + 16 <= end; from += 16) {
    v128.store(to, madd(v128.load(from), factors, v128.load(to)));
    to += 16;
  }
  for (; from < end; from += 4) {
    store<f32>(to, load<f32>(to) + load<f32>(from) * factor);
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
  const bytes = <usize>call.headDim << 2;
  for (let c: usize = 0; c < bytes; c += 4) square += load<f32>(x + c) * load<f32>(x + c);
  return 1 / sqrt<f32>(max<f32>(square, 1e-24));
}

/** Whether keys are changed before they meet queries. */
// @ts-ignore: decorator
@inline
export function changesKeys(): bool {
  return call.sharedQk != 0 || call.keyAngles != 0;
}

/** to = a key as the queries meet it; `slot` counts from where the group's angles begin. */
export function placeKey(from: usize, to: usize, slot: i32): void {
  const headDim = call.headDim;
  if (call.sharedQk) scaleRow(from, to, headDim, inverseNorm(from));
  else memory.copy(to, from, <usize>headDim << 2);
  if (call.keyAngles) rotate(to, to, call.keyAngles + (<usize>slot * <usize>headDim << 2));
}

/** to = a query, scaled and rotated, in the order in which the composite does it. */
export function placeQuery(from: usize, to: usize, slot: i32): void {
  const headDim = call.headDim;
  scaleRow(from, to, headDim, call.scale);
  if (call.queryAngles) rotate(to, to, call.queryAngles + (<usize>slot * <usize>headDim << 2));
}
