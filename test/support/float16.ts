/** Which cases have numbers that the tensors of this run can hold, be they float16. */
import type {Case} from './cases';
import {inputsOf} from './inputs';
import {FLOAT16, largest} from './tolerance';

/** −∞ counts as beyond: what hides a whole row by it is NaN in float16, on the composite too. */
const LARGEST = 65504;
const SMALLEST = 2 ** -14;

export function isHeld(c: Case): boolean {
  if (!FLOAT16) return true;
  const {q, k, naive} = inputsOf(c);
  const scores = largest(q.data) * largest(k.data) * Math.abs(c.config.scale ?? 1);
  const most = Math.max(scores, largest(naive.attnBias?.data ?? []));
  return most <= LARGEST && (most === 0 || most >= SMALLEST);
}
