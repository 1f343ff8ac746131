/** The passes for a number of targets, made once. */
import {gathered} from './gather';
import {mixed} from './mix';
import {placeKeys, placeQueries} from './place';
import {scoreGradient} from './score_gradient';
import {scores, weightGradient} from './scores';
import {weights} from './softmax';

function make(targets: number) {
  return {
    queries: placeQueries(targets, false),
    upstream: placeQueries(targets, true),
    keys: placeKeys(targets, false),
    values: placeKeys(targets, true),
    scores: scores(targets),
    weights: weights(targets, false),
    keptWeights: weights(targets, true),
    mixed: mixed(targets),
    weightGradient: weightGradient(targets),
    scoreGradient: scoreGradient(targets),
    gathered: gathered(targets),
  };
}

const made = new Map<number, ReturnType<typeof make>>();

export function passesFor(targets: number): ReturnType<typeof make> {
  const passes = made.get(targets) ?? make(targets);
  made.set(targets, passes);
  return passes;
}
