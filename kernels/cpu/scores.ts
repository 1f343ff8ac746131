/** What happens to a product q · k before the softmax: bias, the token itself, and who is hidden. */
import type {Facts} from '../../src/attention/fused';
import {SELF_SCORE} from '../../src/attention/visibility';
import {Values, endKey, firstKey} from './rows';

/**
 * Turns the products of query i with the keys j … j + count − 1, each `step` after the one before
 * from scores[at] on, into scores: −∞ where the key is not seen.
 */
export function finishRow(
  p: Facts,
  {mask, maskRows, bias}: Values,
  head: number,
  i: number,
  j: number,
  count: number,
  scores: Float64Array,
  at: number,
  step: number,
): void {
  const first = Math.min(Math.max(firstKey(p, i), j), j + count);
  const end = Math.max(Math.min(endKey(p, i), j + count), first);
  const zero = at - j * step; // where key 0 would be
  if (bias) {
    const source = biasRow(p, head, i);
    for (let key = first; key < end; key++) scores[zero + key * step] += bias[source + key];
  }
  if (p.sharedQk && i >= first && i < end) scores[zero + i * step] = SELF_SCORE;
  if (mask) {
    const row = Math.floor((head * maskRows) / p.b) * p.n;
    for (let key = first; key < end; key++) {
      if (mask[row + key] === 0) scores[zero + key * step] = -Infinity;
    }
  }
  for (let key = j; key < first; key++) scores[zero + key * step] = -Infinity;
  for (let key = end; key < j + count; key++) scores[zero + key * step] = -Infinity;
}

/** Where in the bias query i of a head meets key 0, which may be before its row. */
export function biasRow({heads, w, context, back}: Facts, head: number, i: number): number {
  const row = (head % heads) * w + (i % w);
  return row * context - (i - (i % w) - back * w);
}
