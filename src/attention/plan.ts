/**
 * The gate of a call: it is checked once, at the door that the user came through, and who computes
 * it is decided there too. What follows is told the plan.
 */
import {refuse} from '../check/errors';
import {whyNotComposite} from './composite_limit';
import type {LocalAttentionConfig} from './config';
import {whyNotFused} from './fused';
import type {LocalAttentionCall} from './call';
import {Problem, Shapes, problemOf} from './problem';

export interface Plan {
  readonly problem: Problem;
  /** By a fused kernel of the current backend; else by the composite. */
  readonly fused: boolean;
}

/**
 * Checks a call in the name of `fn` and chooses who computes it. Allocates nothing.
 *
 * @throws if the call breaks a rule, if no kernel computes it where `implementation` is `'fused'`,
 *     or if it is beyond the composite and no kernel computes it
 */
export function planOf(
  fn: string,
  shapes: Shapes,
  config: LocalAttentionConfig,
  call: LocalAttentionCall,
): Plan {
  const problem = problemOf(fn, shapes, config, call);
  const {implementation} = config;
  const reason = implementation === 'composite' ? 'not asked for' : whyNotFused(problem);
  if (reason === null) return {problem, fused: true};
  if (implementation === 'fused') {
    refuse(fn, `${reason}; use implementation: 'auto' or 'composite'`);
  }
  const tooLarge = whyNotComposite(problem);
  if (tooLarge) refuse(fn, tooLarge);
  return {problem, fused: false};
}
