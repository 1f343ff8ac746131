/** What `verify()` on some backends comes to. */

/** Absent: the backend does not start here. Failed: it has given no answer that could be judged. */
export type Outcome = 'right' | 'wrong' | 'absent' | 'failed';

/** In a sentence. */
export function verdictOf(outcomes: readonly Outcome[]): string {
  const count = (wanted: Outcome) => outcomes.filter((outcome) => outcome === wanted).length;
  const [right, wrong, absent, failed] = (['right', 'wrong', 'absent', 'failed'] as const).map(
    count,
  );
  if (outcomes.length === 0) return 'No backend is chosen.';
  const sentences = [
    wrong > 0 && `Not right on ${wrong} of ${right + wrong} backends.`,
    wrong === 0 && right > 0 && 'Right: forward and gradients agree with what the PyTorch original answers in float64.', // prettier-ignore
    absent > 0 && `${absent} of ${outcomes.length} did not start.`,
    failed > 0 && `${failed} of ${outcomes.length} gave no answer.`,
  ];
  return sentences.filter(Boolean).join(' ');
}
