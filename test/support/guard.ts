/** Heads of NaN beside those of a case: whoever reads beyond its own head meets them. */
import type {CaseInputs} from './inputs';
import type {Values} from './naive';

/** The inputs with as many heads of NaN after them. */
export function withHeadsOfNaN({q, k, v, dout, naive}: CaseInputs): CaseInputs {
  const {mask} = naive;
  const [rows, n] = mask?.shape ?? [1, 0];
  const byRow = mask && rows > 1 ? {shape: [2 * rows, n], data: repeated(mask.data)} : mask;
  return {
    q: guarded(q),
    k: guarded(k),
    v: guarded(v),
    dout: guarded(dout),
    naive: {...naive, mask: byRow},
  };
}

function guarded({shape, data}: Values): Values {
  const leading = shape.length > 2 ? [2 * shape[0], ...shape.slice(1, -2)] : [2];
  const values = Float64Array.from({length: 2 * data.length}, (_, at) => data[at] ?? NaN);
  return {shape: [...leading, ...shape.slice(-2)], data: values};
}

function repeated(data: ArrayLike<number>): number[] {
  return [...Array.from(data), ...Array.from(data)];
}
