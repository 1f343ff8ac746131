/**
 * A call cut into items that threads can compute in any order: a chunk of the windows of one head
 * each. The cut depends on the problem alone, so that the result is the same bits for any number
 * of threads.
 *
 * Items belong to a phase, which begins when the one before has ended. Backward, chunks side by
 * side add to the same keys: all even chunks come first, then all odd ones, so that two chunks of
 * one phase share no key, and each key is added to in the same order always. The gradient of a
 * bias is shared by all chunks of a head of the bias: one item each then, and no second phase.
 */
import {attendBackward, backwardScratch} from './backward';
import {attend, forwardScratch} from './forward';
import {back, d, dv, forward, groupLength, heads, n, w} from './problem';

const FORWARD: i32 = 0;
const BACKWARD: i32 = 1; // even chunks; 2 are the odd ones

/** At least so many tokens are an item: handing one out costs time too. */
const LEAST_TOKENS: i32 = 512;

let biasHeads: i32 = 0;
let maskRows: i32 = 0;
let q: usize = 0;
let k: usize = 0;
let v: usize = 0;
let mask: usize = 0;
let bias: usize = 0;
let out: usize = 0;
let logSumExp: usize = 0;
let dout: usize = 0;
let dq: usize = 0;
let dk: usize = 0;
let dvalue: usize = 0;
let dbias: usize = 0;

/** Where the tensors are; `mask` [rows][n] and `bias` [ofBias][w][C] may be 0. */
export function bind(
  queries: usize,
  keys: usize,
  values: usize,
  visible: usize,
  rows: i32,
  addends: usize,
  ofBias: i32,
  outputs: usize,
  logSumExps: usize,
): void {
  q = queries;
  k = keys;
  v = values;
  mask = visible;
  maskRows = rows;
  bias = addends;
  biasHeads = ofBias;
  out = outputs;
  logSumExp = logSumExps;
}

/** And those of the backward pass; `ofBias` may be 0. */
export function bindGradients(
  ofOutputs: usize,
  ofQueries: usize,
  ofKeys: usize,
  ofValues: usize,
  ofBias: usize,
): void {
  dout = ofOutputs;
  dq = ofQueries;
  dk = ofKeys;
  dvalue = ofValues;
  dbias = ofBias;
}

/** Tokens of a chunk: whole groups, and no fewer than the keys that two neighbours share. */
function chunkLength(): i32 {
  const group = groupLength();
  const least = max(LEAST_TOKENS, (back + forward) * w);
  return ((least + group - 1) / group) * group;
}

function chunks(): i32 {
  const length = chunkLength();
  return (n + length - 1) / length;
}

/** How many items a phase has. */
export function items(phase: i32): i32 {
  if (phase == FORWARD) return heads * chunks();
  if (dbias) return phase == BACKWARD ? biasHeads : 0;
  return heads * chunksOf(phase);
}

/** Bytes of scratch that an item of the phase needs. */
export function scratchBytes(phase: i32): i32 {
  return phase == FORWARD ? forwardScratch() : backwardScratch();
}

/** Computes one item; all gradients but dq are added to, so they begin as zeros. */
export function compute(phase: i32, item: i32, scratch: usize): void {
  if (phase == FORWARD) {
    forwardChunk(item / chunks(), item % chunks(), scratch);
  } else if (dbias) {
    for (let head = item; head < heads; head += biasHeads) {
      for (let chunk = 0; chunk < chunks(); chunk++) backwardChunk(head, chunk, scratch);
    }
  } else {
    const chunk = 2 * (item % chunksOf(phase)) + phase - BACKWARD;
    backwardChunk(item / chunksOf(phase), chunk, scratch);
  }
}

/** Even or odd chunks of a head. */
function chunksOf(phase: i32): i32 {
  return (chunks() + 1 - (phase - BACKWARD)) >> 1;
}

function forwardChunk(head: i32, chunk: i32, scratch: usize): void {
  const keys = keysOf(head);
  const values = valuesOf(head);
  attend(
    q + keys,
    k + keys,
    v + values,
    maskOf(head),
    biasOf(bias, head),
    head,
    out + values,
    logSumExp + rowsOf(head),
    chunk * chunkLength(),
    min((chunk + 1) * chunkLength(), n),
    scratch,
  );
}

function backwardChunk(head: i32, chunk: i32, scratch: usize): void {
  const keys = keysOf(head);
  const values = valuesOf(head);
  attendBackward(
    q + keys,
    k + keys,
    v + values,
    maskOf(head),
    biasOf(bias, head),
    head,
    out + values,
    logSumExp + rowsOf(head),
    dout + values,
    dq + keys,
    dk + keys,
    dvalue + values,
    biasOf(dbias, head),
    chunk * chunkLength(),
    min((chunk + 1) * chunkLength(), n),
    scratch,
  );
}

/** Bytes before the rows of a head: of one number, of keys, of values. */
function rowsOf(head: i32): usize {
  return (<usize>head * <usize>n) << 2;
}

function keysOf(head: i32): usize {
  return rowsOf(head) * <usize>d;
}

function valuesOf(head: i32): usize {
  return rowsOf(head) * <usize>dv;
}

function maskOf(head: i32): usize {
  return mask ? mask + <usize>(head / (heads / maskRows)) * <usize>n : 0;
}

function biasOf(table: usize, head: i32): usize {
  const size = <usize>w * <usize>((1 + back + forward) * w);
  return table ? table + <usize>(head % biasHeads) * (size << 2) : 0;
}
