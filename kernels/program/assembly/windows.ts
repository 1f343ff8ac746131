/** Who sees whom in a call, and how its queries are grouped. */
import {QUERIES_TOGETHER, call} from './call';

/** Where the window of query i starts. */
// @ts-ignore: decorator
@inline
export function windowStart(i: i32): i32 {
  return i - (i % call.windowSize);
}

/** First key that query i sees, whose window starts at `start`. */
// @ts-ignore: decorator
@inline
export function firstKey(i: i32, start: i32 = windowStart(i)): i32 {
  const back = call.lookBackward * call.windowSize;
  return max(0, call.exactWindowsize ? i - back : start - back);
}

/** One past the last key that query i sees. */
// @ts-ignore: decorator
@inline
export function endKey(i: i32, start: i32 = windowStart(i)): i32 {
  if (call.causal) return i + 1;
  const ahead = call.lookForward * call.windowSize;
  const end = start + ahead + call.windowSize;
  return min(call.length, call.exactWindowsize ? min(end, i + ahead + 1) : end);
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
