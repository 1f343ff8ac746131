/**
 * Which keys a query sees. The sequence is cut into windows of w tokens; a query sees its own window,
 * b windows before it and f after it; causal hides what is after the query, exact what is more than
 * b · w before it or f · w after it. What is left is always one run of keys.
 */
import type {Window} from './options';

/** The keys from … to − 1, `self` among them or not. */
export interface Keys {
  from: number;
  to: number;
  /** Whether the query sees itself: always, but with shared keys only if it sees nothing else. */
  self: boolean;
}

/** Of query i among n tokens. */
export function keysOf(window: Window, n: number, i: number): Keys {
  const {windowSize: w, lookBackward: b, lookForward: f, causal, exactWindowsize} = window;
  const own = Math.floor(i / w);
  let from = Math.max(0, (own - b) * w);
  let to = Math.min(n, (own + 1 + (causal ? 0 : f)) * w);
  if (causal) to = Math.min(to, i + 1);
  if (exactWindowsize) {
    from = Math.max(from, i - b * w);
    to = Math.min(to, i + f * w + 1);
  }
  return {from, to, self: !window.sharedQk || to - from === 1};
}

export function sees({from, to, self}: Keys, i: number, j: number): boolean {
  return from <= j && j < to && (self || i !== j);
}

/** How many keys. */
export function countOf({from, to, self}: Keys): number {
  return to - from - (self ? 0 : 1);
}

/** C: the slots of keys that a window's queries are given, visible or not. */
export function contextOf({windowSize, lookBackward, lookForward, causal}: Window): number {
  return (1 + lookBackward + (causal ? 0 : lookForward)) * windowSize;
}
