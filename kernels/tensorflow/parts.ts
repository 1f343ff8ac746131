/**
 * A call in parts, some sequences each, one after the other: the memory that they are copied to is
 * as large as the largest part and not as the call.
 */
import {seedFrom} from '../../src/attention/dropout';
import type {Problem} from '../../src/attention/problem';
import {sizeOf} from '../program/memory';

/**
 * Of the tensors of a part, unless one sequence has more. At an eighth of it W1 of the bench takes 6 to
 * 15 % longer, since threads wait for one another at the end of each part; at it, as long as in one.
 */
const MOST_BYTES = 40 * 2 ** 20;

/** The sequences first … first + count − 1 of a call, as a call of their own. */
export interface Part {
  readonly first: number;
  readonly count: number;
  readonly problem: Problem;
}

/** Where the values of a part are in a tensor. */
export interface Span {
  readonly from: number;
  readonly size: number;
}

/** @param values of all tensors together, for each token of a sequence */
export function partsOf(p: Problem, values: number): Part[] {
  const all = sequencesOf(p);
  if (all === 0) return [];
  const most = Math.min(all, MOST_BYTES / (4 * p.length * values)); // where there is no token, all
  const size = sizeOfParts(p, most);
  return Array.from({length: Math.ceil(all / size)}, (_, i) => {
    const first = i * size;
    const count = Math.min(size, all - first);
    return {first, count, problem: problemOf(p, first, count)};
  });
}

/** In a tensor of so many rows that sequences share evenly, as all do the one row of a bias. */
export function spanOf(shape: number[], rows: number, p: Problem, {first, count}: Part): Span {
  const all = sequencesOf(p);
  const row = sizeOf(shape) / rows;
  return {
    from: Math.floor((first * rows) / all) * row,
    size: Math.ceil((count * rows) / all) * row,
  };
}

export function sequencesOf({batch, heads}: Problem): number {
  return batch * heads;
}

/**
 * Sequences of a part, about `most` and in parts of about the same size. Each part has all heads of
 * the bias equally often, and whole rows of the mask or lies within one.
 */
function sizeOfParts(p: Problem, most: number): number {
  const all = sequencesOf(p);
  const ofRow = sequencesOfRow(p);
  const fits = (size: number) =>
    size % p.biasHeads === 0 && (size % ofRow === 0 || ofRow % size === 0);
  const even = Math.ceil(all / Math.ceil(all / most));
  let size = even;
  while (size > 0 && !fits(size)) size--;
  if (size === 0) for (size = even; !fits(size);) size++;
  return size;
}

/** Of the mask. */
function sequencesOfRow(p: Problem): number {
  return p.mask ? sequencesOf(p) / p.mask.shape[0] : 1;
}

function problemOf(p: Problem, first: number, count: number): Problem {
  const rows = Math.ceil(count / sequencesOfRow(p));
  const mask = p.mask && ({shape: [rows, p.length]} as Problem['mask']); // no more is asked of it
  return {...p, leading: [count], batch: 1, heads: count, seed: seedFrom(p.seed, first), mask};
}
