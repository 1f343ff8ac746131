/** Two inputs that are broadcast to one shape, a row at a time. */
import * as tf from '@tensorflow/tfjs';

/**
 * A row of `n` numbers of the result, from its place `at`: of a those from p and of b those from q, each of
 * which goes on by one number each time (1) or stands still (0).
 */
export type Row = (p: number, sa: number, q: number, sb: number, at: number, n: number) => void;

export interface Rows {
  shape: number[];
  /** Of each row. */
  length: number;
  forEach(visit: Row): void;
}

/** The rows are as long as both go on in one of these ways. @throws where the shapes do not go together */
export function broadcastRows(a: number[], b: number[]): Rows {
  const shape = tf.backend_util.assertAndGetBroadcastShape(a, b);
  const steps = [a, b].map((own) => stepsOf(own, shape));
  const last = shape.reduce((at, size, axis) => (size > 1 ? axis : at), -1);
  const isEven = (of: number[], axis: number) =>
    shape[axis] === 1 || (of[axis] === 0) === (of[last] === 0);
  let together = shape.length;
  while (together > 0 && steps.every((of) => isEven(of, together - 1))) together--;
  const length = tf.util.sizeFromShape(shape.slice(together));
  const [sa, sb] = steps.map((of) => (together <= last && of[last] !== 0 ? 1 : 0));
  return {
    ...{shape, length},
    forEach(visit) {
      if (shape.includes(0)) return;
      let at = 0;
      const walk = (axis: number, p: number, q: number): void => {
        if (axis === together) {
          visit(p, sa, q, sb, at, length);
          at += length;
          return;
        }
        for (let i = 0; i < shape[axis]; i++) {
          walk(axis + 1, p + i * steps[0][axis], q + i * steps[1][axis]);
        }
      };
      walk(0, 0, 0);
    },
  };
}

/** How far an input goes on with each step along each axis of `shape`; 0 where it is broadcast. */
function stepsOf(own: number[], shape: number[]): number[] {
  const padded = [...new Array<number>(shape.length - own.length).fill(1), ...own];
  const steps = [...tf.util.computeStrides(padded), 1].slice(-padded.length);
  return shape.map((size, axis) => (padded[axis] === size ? steps[axis] : 0));
}
