/** What the worker tells while it trains, as changes of what is shown. */
import type {TrainEvent} from '../../engine/training/events';
import type {State} from './state';

export function changesBy(event: TrainEvent, state: State): Partial<State> {
  switch (event.kind) {
    case 'progress':
      return {progress: event.progress};
    case 'heldOut':
      return {bits: event.bits, told: milestone(event.step, event.bits, state) ?? state.told};
    case 'paused':
      return {phase: 'paused', told: `Paused at step ${event.step}.`};
    case 'resumed':
      return {phase: 'training', told: 'Training goes on.'};
    case 'lost':
      return {problem: lossOf(event)};
    case 'sample':
      return {};
  }
}

/** A sentence at the look that is the first below the bigram, otherwise null. */
function milestone(step: number, bits: number, {bits: before, bigram}: State): string | null {
  if (bigram === null || bits >= bigram || (before !== null && before < bigram)) return null;
  return `At step ${step} it predicts better than the bigram does.`;
}

function lossOf({backend, reason, now, step}: TrainEvent & {kind: 'lost'}): string {
  const goesOn = now
    ? `the model of step ${step} goes on with ${now}`
    : 'no other backend starts here';
  return `${backend} lost its device (${reason}): ${goesOn}.`;
}
