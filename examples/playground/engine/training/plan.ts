/** What a visitor may choose, and what that means. Without TF.js: the page reads it too. */
import type {TrainingPlan} from '../../../char_lm/steps';
import type {ModelShape} from '../../../char_lm/shape';
import type {BackendName} from '../backend';

export const SIZES = {
  small: {dim: 32, heads: 2, depth: 1},
  medium: {dim: 64, heads: 2, depth: 2},
  large: {dim: 128, heads: 4, depth: 3},
} as const;

export type Size = keyof typeof SIZES;

/** The one that is everywhere first. */
export const BACKENDS: readonly BackendName[] = ['wasm', 'webgl', 'webgpu', 'cpu'];

export interface Choices {
  size: Size;
  window: number;
  rate: number;
  steps: number;
  seed: number;
  backend: BackendName;
}

/** As npm start has it: texts in a step, and characters in each. */
const BATCH = 4;
export const LENGTH = 128;

export function shapeOf({size, window, seed}: Choices): ModelShape {
  return {...SIZES[size], window, seed};
}

export function planOf({rate, steps, seed}: Choices): TrainingPlan {
  return {steps, seconds: Infinity, batch: BATCH, length: LENGTH, rate, seed};
}
