/** What the view knows. All that is shown follows from it, by `render`. */
import type {TextFacts} from '../../engine/train';
import type {Shown} from '../../engine/training/events';
import type {Choices, Size} from '../../engine/training/plan';
import type {PupilFacts} from '../../engine/training/pupil';
import type {BackendName} from '../../engine/backend';
import {part} from './parts';

export interface State {
  phase: 'idle' | 'starting' | 'training' | 'paused' | 'finishing';
  /** A text is read, or the model saved, say: one such thing at a time. */
  busy: boolean;
  text: TextFacts | null;
  model: PupilFacts | null;
  progress: Shown | null;
  bits: number | null;
  bigram: number | null;
  /** Of guessing blindly. */
  uniform: number | null;
  /** When a model was saved in this browser. */
  saved: Date | null;
  problem: string | null;
  /** Of where it computes and how it is going: the last milestone. */
  told: string;
}

export const START: State = {
  phase: 'idle',
  busy: false,
  text: null,
  model: null,
  progress: null,
  bits: null,
  bigram: null,
  uniform: null,
  saved: null,
  problem: null,
  told: '',
};

export function choices(): Choices {
  const number = (id: string) => Number(part<HTMLInputElement>(id).value);
  return {
    size: part<HTMLSelectElement>('size').value as Size,
    window: number('window'),
    rate: number('rate'),
    steps: number('steps'),
    seed: number('seed'),
    backend: part<HTMLSelectElement>('backend').value as BackendName,
  };
}
