import * as tf from '@tensorflow/tfjs';
import {languageModelLoss} from 'tfjs-local-attention';

import {windowsAt} from './batches';
import {randomNumbers} from './random';

export interface TrainingPlan {
  /** Training ends after so many steps or so many seconds, whichever comes first. */
  steps: number;
  seconds: number;
  /** Windows in a step, and characters in a window. */
  batch: number;
  length: number;
  /** Learning rate at its highest. */
  rate: number;
  seed: number;
}

export interface Progress {
  step: number;
  /** Of the plan, by steps or by time: 0 to 1. */
  done: number;
  /** Training loss in bits per character, smoothed over some twenty steps. */
  bits: number;
  /** Of training alone: what is done between two steps does not count. */
  seconds: number;
  charactersPerSecond: number;
}

const WARM_UP = 0.03; // of the plan

/**
 * Trains in place, a step for each time that the next is asked for, until the plan is fulfilled. To
 * pause is not to ask; to stop is to leave the loop.
 *
 * @param from so many steps of the plan are done already
 * @throws if the loss is no longer finite
 */
export async function* trainingSteps(
  model: tf.LayersModel,
  text: Int32Array,
  plan: TrainingPlan,
  from = 0,
): AsyncGenerator<Progress, void, undefined> {
  const random = randomNumbers(plan.seed + from);
  const optimizer = tf.train.adam(plan.rate, 0.9, 0.99);
  model.compile({optimizer, loss: languageModelLoss});

  let progress: Progress = {
    step: from,
    done: from / plan.steps,
    bits: NaN,
    seconds: 0,
    charactersPerSecond: 0,
  };
  try {
    while (progress.done < 1) {
      const begin = performance.now();
      // adam has no public way to change its rate
      optimizer['learningRate'] = plan.rate * schedule(progress.done);
      const starts = Array.from({length: plan.batch}, () =>
        Math.floor(random() * (text.length - plan.length)),
      );
      const ids = windowsAt(text, starts, plan.length);
      const loss = (await model.trainOnBatch(ids, ids)) as number;
      ids.dispose();
      if (!Number.isFinite(loss))
        throw new Error(`the loss is ${loss}: try a lower learning rate.`);

      const seconds = progress.seconds + (performance.now() - begin) / 1000;
      progress = next(progress, loss / Math.LN2, seconds, plan, from);
      yield progress;
    }
  } finally {
    optimizer.dispose();
  }
}

/** Up to 1 while warming up, then down to a fiftieth in a straight line. */
function schedule(done: number): number {
  return Math.min(1, 0.1 + done / WARM_UP) * (1 - 0.98 * done);
}

function next(
  {step, bits}: Progress,
  latest: number,
  seconds: number,
  plan: TrainingPlan,
  from: number,
): Progress {
  const steps = step + 1;
  return {
    step: steps,
    done: Math.min(1, Math.max(steps / plan.steps, seconds / plan.seconds)),
    bits: step === from ? latest : 0.95 * bits + 0.05 * latest,
    seconds,
    charactersPerSecond: ((steps - from) * plan.batch * plan.length) / seconds,
  };
}
