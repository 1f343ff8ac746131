/** A few cases for many, where one place asks all of them already. */

/** What has options: a case, or a fixture. */
export interface Optional {
  config: object;
}

/**
 * Whether this is a page whose backend is asked everything elsewhere. Such a page shows that the
 * engine and the browser compile and compute the same texts, for which a few of each kind are enough.
 */
export const SAMPLED = Boolean(process.env.SAMPLE) && !process.env.CASES;

/** The options of a case, and what the call is given; numbers are not told apart. */
function traitsOf({config, ...given}: Optional): string[] {
  const options = Object.entries(config).map(([name, value]) =>
    typeof value === 'number' ? name : `${name} ${value}`,
  );
  const others = Object.entries(given).filter(([name, value]) => name !== 'name' && value != null);
  return [...options, ...others.map(([name]) => `${name} of the call`)];
}

/** So few of the cases that each trait of any is a trait of one; those with the most traits first. */
export function covering<T extends Optional>(cases: readonly T[]): T[] {
  const missing = new Set(cases.flatMap(traitsOf));
  const chosen: T[] = [];
  while (missing.size > 0) {
    const gain = (c: T) => traitsOf(c).filter((trait) => missing.has(trait)).length;
    const best = cases.reduce((a, b) => (gain(b) > gain(a) ? b : a));
    for (const trait of traitsOf(best)) missing.delete(trait);
    chosen.push(best);
  }
  return chosen;
}
