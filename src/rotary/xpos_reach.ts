import {fail} from '../check/errors';

/** The largest power that xpos may take of 3.5 = 1 / ζ_0, which float32 holds up to 3.5^70. */
export const LARGEST_XPOS_POWER = 64;

/** The powers of xpos over `context` slots must be numbers: ∞ · 0 is none. */
export function checkXposReach(fn: string, name: string, context: number, base: number): void {
  const least = Math.floor(context / 2) / LARGEST_XPOS_POWER;
  if (base < least) {
    fail(
      fn,
      `${name} must be at least ${least} for a context of ${context} tokens, or the powers of xpos ` +
        'leave float32',
      base,
    );
  }
}
