/** Who sees whom in a call, and how its queries are grouped. */
import {QUERIES_TOGETHER, call} from './call';

/** First key that query i sees. */
// @ts-ignore: decorator
@inline
export function firstKey(i: i32): i32 {
  const w = call.windowSize;
  const back = call.lookBackward;
  const first = (i / w - back) * w;
  return max(0, call.exactWindowsize ? max(first, i - back * w) : first);
}

/** One past the last key that query i sees. */
// @ts-ignore: decorator
@inline
export function endKey(i: i32): i32 {
  if (call.causal) return i + 1;
  const w = call.windowSize;
  const ahead = call.lookForward;
  const end = (i / w + ahead + 1) * w;
  return min(call.length, call.exactWindowsize ? min(end, i + ahead * w + 1) : end);
}

/** Queries of a group: whole windows. */
export function groupLength(): i32 {
  const w = call.windowSize;
  return w >= QUERIES_TOGETHER ? w : ((QUERIES_TOGETHER - 1 + w) / w) * w;
}

/** Most keys that a group sees. */
export function contextLength(): i32 {
  return min(call.length, groupLength() + contextSlots() - call.windowSize);
}

/** C, the slots of a window's context. */
// @ts-ignore: decorator
@inline
export function contextSlots(): i32 {
  return (1 + call.lookBackward + call.lookForward) * call.windowSize;
}

/** Bytes from the beginning of a head's bias to that of query i and key j. */
// @ts-ignore: decorator
@inline
export function biasOffset(i: i32, j: i32): usize {
  const w = call.windowSize;
  const slot = j - (i / w - call.lookBackward) * w;
  return (<usize>(i % w) * <usize>contextSlots() + <usize>slot) << 2;
}

/** The position in row 0 of the tables of angles for the group that begins at `start`. */
// @ts-ignore: decorator
@inline
export function angleOrigin(start: i32): i32 {
  return max(0, (start / call.windowSize - call.lookBackward) * call.windowSize);
}
