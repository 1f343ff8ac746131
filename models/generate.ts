import * as tf from '@tensorflow/tfjs';

import {fail, failType, refuse} from '../src/check/errors';
import {anything, count} from '../src/check/option_kinds';
import {Given, readOptions} from '../src/check/options';
import {checkTensor} from '../src/check/tensors';
import {Decoder, checkDecodable, decoderFor} from './decoder';
import {partsOf} from './parts';
import {SAMPLING, sampler} from './sampling';
import {othersFirst} from './turns';

const FN = 'generate';

/** A token, some tokens, or whether this one ends the text. */
export type Stop = number | readonly number[] | ((token: number) => boolean);

const OPTIONS = {
  /** So many tokens at most. Default: as many as have positions, or with `absolutePositions: false` no end. */
  maxTokens: count(0),
  ...SAMPLING,
  /** What ends the text: a token, a list of tokens, or a function that is told each token. It is not given out. */
  stop: anything<Stop>(),
  /** Ends it from outside, as it does fetch: the next token is rejected with `signal.reason`. */
  signal: anything<AbortSignal>(),
};

/**
 * The options of {@link generate}. `null` counts as absent.
 *
 * @interface
 */
export type GenerateOptions = Given<typeof OPTIONS>;

/** Ids of a text, in [0, numTokens): a list, or an int32 tensor [p] or [1, p]. */
export type Prompt = ArrayLike<number> | tf.Tensor;

/** Tokens of a prompt that are fed at once: the memory of their logits is bounded. */
const FED_AT_ONCE = 256;

/**
 * Writes on after a prompt, token by token, each given out as soon as it is chosen:
 *
 *     for await (const token of generate(model, promptIds, {maxTokens: 100, temperature: 0.8})) …
 *
 * The model is decoded by {@link createDecoder}, so a token takes the same time at any length. Its logits
 * are read back once a token, and the choice is made of them in JavaScript, with random numbers of our
 * own: the same seed gives the same text on every backend, up to rounding. Between tokens timers and
 * events have their turn. When the loop ends, be it by `break`, by an error in it or by the signal,
 * nothing is left in memory.
 *
 * By default there is no filter; the original's `generate` has `filter_thres` 0.9.
 *
 * @param model causal, with numTokens, fresh or from tf.loadLayersModel
 * @param promptIds at least one token
 * @returns the new tokens, without the prompt and what stopped them
 * @throws at once, and before anything is computed, if the model, the prompt or an option is wrong, or
 *     if the prompt and `maxTokens` have no room in `maxSeqLen`; from the loop, if logits are not finite,
 *     or what `signal` was aborted with
 */
export function generate(
  model: tf.LayersModel,
  promptIds: Prompt,
  options: GenerateOptions = {},
): AsyncGenerator<number, void, undefined> {
  const chosen = readOptions(FN, OPTIONS, options);
  const {embedding} = partsOf(FN, model);
  if (embedding === null) refuse(FN, 'model must have numTokens; createStream is for encoders');
  checkDecodable(FN, model, 1);
  const {numTokens, maxSeqLen} = embedding.config;
  const length = checkPrompt(promptIds, numTokens);
  const room = roomAfter(length, maxSeqLen, chosen.maxTokens);
  const {stop, signal} = chosen;
  if (signal !== null && typeof signal.aborted !== 'boolean') {
    failType(FN, 'signal must be an AbortSignal', signal);
  }
  const plan = {
    maxTokens: chosen.maxTokens ?? room,
    choose: sampler(FN, chosen),
    ends: endOf(stop),
  };
  // a list is copied now, so that it may change before the first token is asked for
  const prompt = promptIds instanceof tf.Tensor ? promptIds : Array.from(promptIds);
  return tokensAfter(model, prompt, {...plan, numTokens, signal});
}

interface Plan {
  maxTokens: number;
  numTokens: number;
  choose: (logits: Float32Array) => number;
  ends: (token: number) => boolean;
  signal: AbortSignal | null;
}

async function* tokensAfter(
  model: tf.LayersModel,
  promptIds: number[] | tf.Tensor,
  {maxTokens, numTokens, choose, ends, signal}: Plan,
): AsyncGenerator<number, void, undefined> {
  const prompt = promptIds instanceof tf.Tensor ? Array.from(await promptIds.data()) : promptIds;
  checkIds(prompt, numTokens); // those of a tensor were not at hand before
  if (signal?.aborted) throw signal.reason;
  if (maxTokens === 0) return;
  const decoder = decoderFor(FN, model, 1);
  try {
    let logits!: Float32Array;
    for (let at = 0; at < prompt.length; at += FED_AT_ONCE) {
      logits = await logitsAfter(decoder, prompt.slice(at, at + FED_AT_ONCE), signal);
    }
    for (let left = maxTokens; ;) {
      const token = choose(logits);
      if (ends(token)) return;
      yield token;
      if (--left === 0) return;
      logits = await logitsAfter(decoder, [token], signal);
    }
  } finally {
    decoder.dispose();
  }
}

/** The logits [V] after the last of the ids. */
async function logitsAfter(
  decoder: Decoder,
  ids: number[],
  signal: AbortSignal | null,
): Promise<Float32Array> {
  await othersFirst();
  if (signal?.aborted) throw signal.reason;
  const last = tf.tidy(() => {
    const logits = decoder.feed(ids);
    const [, m, numTokens] = logits.shape;
    return tf.reshape(tf.slice(logits, [0, m - 1, 0], [1, 1, numTokens]), [numTokens]);
  });
  try {
    return (await last.data()) as Float32Array;
  } finally {
    last.dispose();
  }
}

/** Throws unless it is a prompt, as far as can be seen without waiting; returns its length. */
function checkPrompt(prompt: unknown, numTokens: number): number {
  const empty = 'promptIds must have at least one token, such as one that begins every text';
  if (prompt instanceof tf.Tensor) {
    checkTensor(FN, 'promptIds', prompt, 'int32');
    const [rows, length] = prompt.rank === 1 ? [1, prompt.size] : prompt.shape;
    if (prompt.rank > 2 || rows !== 1) fail(FN, 'promptIds must be of one text, [p] or [1, p]', prompt); // prettier-ignore
    if (length === 0) fail(FN, empty, prompt);
    return length;
  }
  if (!Array.isArray(prompt) && !(ArrayBuffer.isView(prompt) && 'length' in prompt)) {
    failType(FN, 'promptIds must be a list of token ids, or an int32 tensor of them', prompt);
  }
  const ids = prompt as ArrayLike<number>;
  if (ids.length === 0) fail(FN, empty, ids);
  checkIds(ids, numTokens);
  return ids.length;
}

function checkIds(ids: ArrayLike<number>, numTokens: number): void {
  for (let at = 0; at < ids.length; at++) {
    const id = ids[at];
    if (!Number.isInteger(id) || id < 0 || id >= numTokens) {
      fail(FN, `promptIds must be whole numbers from 0 to ${numTokens - 1}`, id);
    }
  }
}

/** How many tokens can come after the prompt: the last of them needs no position. */
function roomAfter(length: number, maxSeqLen: number | null, wanted: number | null): number {
  if (maxSeqLen === null) return Infinity;
  const room = maxSeqLen - length + 1;
  if (length <= maxSeqLen && (wanted ?? 0) <= room) return room;
  const got = wanted === null ? `${length} tokens` : `${length} tokens and maxTokens ${wanted}`;
  refuse(
    FN,
    `promptIds and what follows must fit into maxSeqLen ${maxSeqLen}, but for the last token ` +
      `(absolutePositions: false takes any number), got ${got}`,
  );
}

function endOf(stop: Stop | null): (token: number) => boolean {
  const isToken = (token: unknown) => Number.isInteger(token) && (token as number) >= 0;
  if (stop === null) return () => false;
  if (typeof stop === 'function') {
    return (token) => {
      const answer: unknown = stop(token);
      if (typeof answer !== 'boolean') failType(FN, 'stop must answer true or false', answer);
      return answer;
    };
  }
  const tokens = typeof stop === 'number' ? [stop] : stop;
  if (!Array.isArray(tokens) || !tokens.every(isToken)) {
    failType(FN, 'stop must be a token, a list of tokens, or a function of one', stop);
  }
  return (token) => tokens.includes(token);
}
