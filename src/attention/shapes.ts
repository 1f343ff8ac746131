import {fail, refuse, show} from '../check/errors';
import {LocalAttentionConfig, checkRotaryDim} from './config';

/**
 * The rules about the shapes of q, k and v, for tensors and for symbolic tensors, whose unknown
 * sizes (null) are left for later.
 */
export function checkShapes(
  fn: string,
  q: readonly (number | null)[],
  k: readonly (number | null)[],
  v: readonly (number | null)[],
  config: LocalAttentionConfig,
  w = config.windowSize,
): void {
  if (q.length < 2) fail(fn, 'q must have the shape [..., n, d]', q);
  if (!agree(q, k)) refuse(fn, `q and k must have the same shape, got ${show(q)} and ${show(k)}`);
  if (!agree(k.slice(0, -1), v.slice(0, -1))) {
    refuse(fn, `k and v must agree in all axes but the last, got ${show(k)} and ${show(v)}`);
  }
  const [n, d] = q.slice(-2);
  if (d === 0 || v[v.length - 1] === 0) {
    refuse(fn, `the last axis of q, k and v must not be empty, got ${show(q)} and ${show(v)}`);
  }
  if (d !== null) {
    if (config.dim !== null && config.dim !== d) {
      fail(fn, `the last axis of q and k must be dim ${config.dim} (or leave dim out)`, d);
    }
    checkRotaryDim(fn, config, d);
  }
  if (n !== null && n % w !== 0 && !config.autopad) {
    fail(fn, `sequence length must be a multiple of windowSize ${w} (or set autopad: true)`, n);
  }
}

function agree(a: readonly (number | null)[], b: readonly (number | null)[]): boolean {
  return (
    a.length === b.length && a.every((size, i) => size === null || b[i] === null || size === b[i])
  );
}
