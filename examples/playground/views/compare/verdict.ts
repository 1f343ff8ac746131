/** What `verify()` on some backends comes to. */

/** Absent: the backend does not start here. */
export type Outcome = 'right' | 'wrong' | 'absent';

/** In a sentence. */
export function verdictOf(outcomes: readonly Outcome[]): string {
  const count = (wanted: Outcome) => outcomes.filter((outcome) => outcome === wanted).length;
  const started = outcomes.length - count('absent');
  if (outcomes.length === 0) return 'No backend is chosen.';
  if (started === 0) return 'No backend starts here.';
  if (count('wrong') > 0) return `Not right on ${count('wrong')} of ${started} backends.`;
  const besides = count('absent') > 0 ? ` ${count('absent')} of ${outcomes.length} backends did not start.` : ''; // prettier-ignore
  return `Right: forward and gradients agree with what the PyTorch original answers in float64.${besides}`;
}
