/** The choice of a token by its logits: plain arithmetic on one row of them. */
import {refuse} from '../src/check/errors';
import {count, number, seed} from '../src/check/option_kinds';
import type {Chosen} from '../src/check/options';
import {randomNumbers} from './random_numbers';

/** The options of a choice. Without filters every token can be drawn. */
export const SAMPLING = {
  /** The logits are divided by it; 0 always takes the likeliest token. */
  temperature: number('≥ 0', {from: 0}, 1),
  /** Only the so many likeliest tokens can be drawn. */
  topK: count(1),
  /** Only the fewest likeliest tokens can be drawn whose probability is this or more. */
  topP: number('in (0, 1]', {above: 0, to: 1}),
  /**
   * Only the max(1, ⌊(1 − filterThres) · V⌋) likeliest of V tokens can be drawn: the original's filter.
   * There it is 0.9 by default, here there is none.
   */
  filterThres: number('in [0, 1]', {from: 0, to: 1}),
  /** Where the random numbers begin: the same seed draws the same tokens. Default: random. */
  seed: seed(),
};

/** {@link SAMPLING} checked and complete. */
export type SamplingConfig = Chosen<typeof SAMPLING>;

/**
 * A chooser of tokens, with random numbers of its own. For logits l of V tokens it keeps the likeliest
 * by `topK` and `filterThres`, gives each p ∝ exp(l / temperature), keeps of these the likeliest by
 * `topP`, and draws one of them. Of tokens that are equally likely the first are the likelier.
 *
 * @returns a function of the logits, which throws a RangeError if one of them is not finite
 */
export function sampler(fn: string, config: SamplingConfig): (logits: Float32Array) => number {
  const {temperature, topP} = config;
  const random = randomNumbers(config.seed ?? Math.floor(Math.random() * 2 ** 32));
  return (logits) => {
    const most = largest(fn, logits);
    if (temperature === 0) return logits.indexOf(most);

    const tokens = likeliest(logits, mostTokens(logits.length, config));
    const weights = tokens.map((token) => Math.exp((logits[token] - most) / temperature));
    const kept = topP === null || topP === 1 ? null : nucleus(weights, topP);
    return draw(tokens, kept ? weights.map((w, at) => (kept.has(at) ? w : 0)) : weights, random());
  };
}

function largest(fn: string, logits: Float32Array): number {
  let most = -Infinity;
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token];
    if (!Number.isFinite(logit)) {
      refuse(fn, `the model's logits must be finite, got ${logit} for token ${token}`);
    }
    if (logit > most) most = logit;
  }
  return most;
}

/** How many tokens can be drawn, of V. */
function mostTokens(size: number, {topK, filterThres}: SamplingConfig): number {
  const byPart = filterThres === null ? size : Math.max(1, Math.floor((1 - filterThres) * size));
  return Math.min(size, topK ?? size, byPart);
}

/** The `most` likeliest tokens, in order of their numbers. */
function likeliest(logits: Float32Array, most: number): Float64Array {
  if (most === logits.length) return Float64Array.from(logits.keys());
  const least = logits.slice().sort()[logits.length - most];
  let ties = most;
  for (const logit of logits) if (logit > least) ties--;
  const tokens = new Float64Array(most);
  let next = 0;
  for (let token = 0; next < most; token++) {
    if (logits[token] > least || (logits[token] === least && ties-- > 0)) tokens[next++] = token;
  }
  return tokens;
}

/** Where the likeliest weights are, the fewest whose sum is `part` of all or more. */
function nucleus(weights: Float64Array, part: number): Set<number> {
  const all = weights.reduce((sum, weight) => sum + weight);
  // all weights below this sum up to less than 1 − part, so none of them is needed, nor sorted
  const least = ((1 - part) * all) / weights.length;
  const places = [...weights.keys()].filter((at) => weights[at] >= least);
  places.sort((a, b) => weights[b] - weights[a] || a - b);
  let sum = 0;
  const needed = places.findIndex((at) => (sum += weights[at]) >= part * all);
  return new Set(needed < 0 ? places : places.slice(0, needed + 1));
}

/** The token in whose weight a part of all weights falls. */
function draw(tokens: Float64Array, weights: Float64Array, part: number): number {
  let left = part * weights.reduce((sum, weight) => sum + weight);
  let last = 0;
  for (let at = 0; left >= 0 && at < weights.length; at++) {
    left -= weights[at];
    if (weights[at] > 0) last = at; // rounding may leave a rest
  }
  return tokens[last];
}
