import * as tf from '@tensorflow/tfjs';

import {Progress, TrainingPlan, trainingSteps} from './steps';

/** Trains in place, until the plan is fulfilled or `stop` is aborted: then after the step begun. */
export async function train(
  model: tf.LayersModel,
  text: Int32Array,
  plan: TrainingPlan,
  stop: AbortSignal,
  onStep: (progress: Progress) => void,
): Promise<Progress> {
  let last: Progress = {step: 0, done: 0, bits: NaN, seconds: 0, charactersPerSecond: 0};
  if (stop.aborted) return last;
  for await (last of trainingSteps(model, text, plan)) {
    onStep(last);
    await new Promise(setImmediate); // lets Ctrl-C in
    if (stop.aborted) break;
  }
  return last;
}
