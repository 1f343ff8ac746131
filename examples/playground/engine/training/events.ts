/** What the worker tells while it trains. */
import type {BackendName} from '../backend';

export type TrainEvent =
  | {kind: 'progress'; progress: Shown}
  | {kind: 'heldOut'; step: number; bits: number}
  | {kind: 'sample'; step: number; prompt: string; text: string}
  | {kind: 'paused'; step: number}
  | {kind: 'resumed'}
  | {kind: 'lost'; backend: BackendName; reason: string; now: BackendName | null; step: number};

export interface Shown {
  /** Of all that the model has been trained. */
  step: number;
  /** Of the plan, 0 to 1. */
  done: number;
  /** Training loss, smoothed, in bits per character. */
  bits: number;
  charactersPerSecond: number;
  /** That TF.js holds in the worker. */
  tensors: number;
}

export type Report = (event: TrainEvent) => void;
