/** The passes for a number of targets, made once. */
import {mixed} from './mix';
import {scores, weightGradient} from './scores';
import {weights} from './softmax';

function make(targets: number) {
  return {
    scores: scores(targets),
    weights: weights(targets),
    mixed: mixed(targets),
    weightGradient: weightGradient(targets),
  };
}

const made = new Map<number, ReturnType<typeof make>>();

export function passesFor(targets: number): ReturnType<typeof make> {
  const passes = made.get(targets) ?? make(targets);
  made.set(targets, passes);
  return passes;
}
