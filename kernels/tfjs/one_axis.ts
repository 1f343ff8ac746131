/** Axes that lie side by side, which all that adds up along them can take as one. */
import * as tf from '@tensorflow/tfjs';

/** [outer, count, inner] of a shape for a reduction along `axis`, or null where its axes lie apart. */
export function asOneAxis(
  shape: number[],
  axis: number | number[],
): [number, number, number] | null {
  const axes = tf.util.parseAxisParam(axis, shape);
  const first = Math.min(...axes);
  const after = first + axes.length;
  if (axes.length === 0 || axes.some((one) => one >= after)) return null;
  const size = tf.util.sizeFromShape;
  return [size(shape.slice(0, first)), size(shape.slice(first, after)), size(shape.slice(after))];
}
