/**
 * Which keys a query may see, and which queries a key, as two bounds each: for the host and for
 * shaders. All bounds grow with the position, so that those of a run are its ends'.
 */
import type {Problem} from '../../src/attention/problem';

/** The first key that query i sees. */
export function firstKey(p: Problem, i: number): number {
  const {windowSize: w, lookBackward} = p;
  const first = (Math.floor(i / w) - lookBackward) * w;
  return Math.max(0, p.exactWindowsize ? Math.max(first, i - lookBackward * w) : first);
}

/** One past the last key that query i sees. */
export function endKey(p: Problem, i: number): number {
  if (p.causal) return i + 1;
  const {windowSize: w, lookForward} = p;
  const end = (Math.floor(i / w) + lookForward + 1) * w;
  return Math.min(p.length, p.exactWindowsize ? Math.min(end, i + lookForward * w + 1) : end);
}

export const BANDS = `
int firstKey(int i) {
  int first = (i / windowSize - lookBackward) * windowSize;
  if (exactWindowsize) first = max(first, i - lookBackward * windowSize);
  return max(0, first);
}

int endKey(int i) {
  if (causal) return i + 1;
  int end = (i / windowSize + lookForward + 1) * windowSize;
  if (exactWindowsize) end = min(end, i + lookForward * windowSize + 1);
  return min(end, tokens);
}

int firstQuery(int j) {
  if (causal) return j;
  int first = (j / windowSize - lookForward) * windowSize;
  if (exactWindowsize) first = max(first, j - lookForward * windowSize);
  return max(0, first);
}

int endQuery(int j) {
  int end = (j / windowSize + lookBackward + 1) * windowSize;
  if (exactWindowsize) end = min(end, j + lookBackward * windowSize + 1);
  return min(end, tokens);
}
`;
