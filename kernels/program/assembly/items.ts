/**
 * A call cut into items that threads can compute in any order: a chunk of the windows of one head
 * each. The cut depends on the call alone, so that the result is the same bits for any number of
 * threads.
 *
 * Items belong to a phase, which begins when the one before has ended. Backward, chunks side by
 * side add to the same keys: all even chunks come first, then all odd ones, so that two chunks of
 * one phase share no key, and each key is added to in the same order always. The gradient of a
 * bias is shared by all chunks of a head of the bias: one item each then, and no second phase.
 */
import {attendBackward} from './backward';
import {backwardScratch} from './backward_memory';
import {call} from './call';
import {attend, forwardScratch} from './forward';
import {allHeads, enterHead} from './head';
import {blockScratch, blocks, computeBlock} from './product';
import {pack, packItems} from './product_pack';
import {CONSTANT_BYTES, placeConstants} from './simd';
import {contextSlots, groupLength} from './windows';

const FORWARD: i32 = 0;
const BACKWARD: i32 = 1; // even chunks; 2 are the odd ones
const PACK: i32 = 3; // of a product of matrices
const PRODUCT: i32 = 4;

/** At least so many tokens are an item: handing one out costs time too. */
const LEAST_TOKENS: i32 = 512;

/** Fills with zeros what the backward pass adds to. */
export function clearGradients(): void {
  const rows = (<usize>allHeads() * <usize>call.length) << 2;
  memory.fill(call.dk, 0, rows * <usize>call.headDim);
  memory.fill(call.dv, 0, rows * <usize>call.valueDim);
  const table = (<usize>call.windowSize * <usize>contextSlots()) << 2;
  if (call.dbias) memory.fill(call.dbias, 0, <usize>call.biasHeads * table);
}

/** Tokens of a chunk: whole groups, and no fewer than the keys that two neighbours share. */
function chunkLength(): i32 {
  const group = groupLength();
  const least = max(LEAST_TOKENS, contextSlots() - call.windowSize);
  return ((least + group - 1) / group) * group;
}

function chunks(): i32 {
  const length = chunkLength();
  return (call.length + length - 1) / length;
}

/** How many items a phase has. */
export function items(phase: i32): i32 {
  if (phase == PACK) return packItems();
  if (phase == PRODUCT) return blocks();
  if (phase == FORWARD) return allHeads() * chunks();
  if (call.dbias) return phase == BACKWARD ? call.biasHeads : 0;
  return allHeads() * chunksOf(phase);
}

/** Bytes of scratch that an item of the phase needs. */
export function scratchBytes(phase: i32): i32 {
  if (phase >= PACK) return blockScratch();
  return <i32>CONSTANT_BYTES + (phase == FORWARD ? forwardScratch() : backwardScratch());
}

/** Computes one item. */
export function compute(phase: i32, item: i32, scratch: usize): void {
  if (phase == PACK) return pack(item);
  if (phase == PRODUCT) return computeBlock(item, scratch);
  placeConstants(scratch);
  scratch += CONSTANT_BYTES;
  if (phase == FORWARD) {
    enterHead(item / chunks());
    const start = (item % chunks()) * chunkLength();
    attend(start, min(start + chunkLength(), call.length), scratch);
  } else if (call.dbias) {
    for (let head = item; head < allHeads(); head += call.biasHeads) {
      for (let chunk = 0; chunk < chunks(); chunk++) computeGradient(head, chunk, scratch);
    }
  } else {
    const chunk = 2 * (item % chunksOf(phase)) + phase - BACKWARD;
    computeGradient(item / chunksOf(phase), chunk, scratch);
  }
}

/** Even or odd chunks of a head. */
function chunksOf(phase: i32): i32 {
  return (chunks() + 1 - (phase - BACKWARD)) >> 1;
}

function computeGradient(head: i32, chunk: i32, scratch: usize): void {
  enterHead(head);
  const start = chunk * chunkLength();
  attendBackward(start, min(start + chunkLength(), call.length), scratch);
}
