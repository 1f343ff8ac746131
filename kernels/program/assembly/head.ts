/** The head that is computed: where its own rows of all tensors begin; 0 for what is not there. */
import {call} from './call';
import {contextSlots} from './windows';

export let head: i32 = 0;
export let q: usize = 0;
export let k: usize = 0;
export let v: usize = 0;
export let mask: usize = 0;
export let bias: usize = 0;
export let out: usize = 0;
export let softmaxStats: usize = 0;
export let dout: usize = 0;
export let dq: usize = 0;
export let dk: usize = 0;
export let dv: usize = 0;
export let dbias: usize = 0;
/** Bytes of a row of keys, and of values. */
export let keyBytes: usize = 0;
export let valueBytes: usize = 0;

/** How many heads there are, of all sequences. */
// @ts-ignore: decorator
@inline
export function allHeads(): i32 {
  return call.batch * call.heads;
}

export function enterHead(index: i32): void {
  const rows = <usize>index * <usize>call.length;
  head = index;
  keyBytes = <usize>call.headDim << 2;
  valueBytes = <usize>call.valueDim << 2;
  q = call.q + rows * keyBytes;
  k = call.k + rows * keyBytes;
  v = call.v + rows * valueBytes;
  out = call.out + rows * valueBytes;
  softmaxStats = call.softmaxStats + (rows << 3);
  dout = call.dout + rows * valueBytes;
  dq = call.dq + rows * keyBytes;
  dk = call.dk + rows * keyBytes;
  dv = call.dv + rows * valueBytes;
  bias = biasOf(call.bias, index);
  dbias = biasOf(call.dbias, index);
  const ofRow = allHeads() / call.maskRows;
  mask = call.mask ? call.mask + <usize>(index / ofRow) * <usize>call.length : 0;
}

function biasOf(table: usize, index: i32): usize {
  const size = <usize>call.windowSize * <usize>contextSlots();
  return table ? table + <usize>(index % call.biasHeads) * (size << 2) : 0;
}
