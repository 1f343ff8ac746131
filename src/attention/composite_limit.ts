import {LARGEST_TENSOR} from '../check/numbers';
import type {Problem} from './problem';
import {layoutOf} from './windows';

/**
 * Why the composite cannot compute `p`, or null: its scores and the keys and values of all contexts
 * are tensors.
 */
export function whyNotComposite(p: Problem): string | null {
  const {b, padded, windows, context} = layoutOf(p);
  const largest = b * windows * context * Math.max(p.windowSize, p.headDim, p.valueDim);
  if (largest <= LARGEST_TENSOR) return null;
  const gib = (largest / 2 ** 28).toFixed(1);
  return (
    `${b} · ${padded} tokens with windows of ${p.windowSize} and a context of ${context} need a ` +
    `tensor of ${gib} GiB, and none may take more than 4 GiB; take a smaller context or batch`
  );
}
