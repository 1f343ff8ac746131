import {generate} from 'tfjs-local-attention';

import {Alphabet} from './alphabet';
import {CharacterModel} from './character_model';

export interface SampleOptions {
  /** How many characters to add. */
  characters: number;
  /** 0 always takes the likeliest character; 1 draws from the model's own distribution. */
  temperature: number;
  seed: number;
}

/** What the model writes after `prompt`, character by character. */
export async function* continueText(
  {model, alphabet}: CharacterModel,
  prompt: string,
  {characters, temperature, seed}: SampleOptions,
): AsyncGenerator<string> {
  checkPrompt(prompt, alphabet);
  const ids = alphabet.encode(prompt);
  for await (const id of generate(model, ids, {maxTokens: characters, temperature, seed})) {
    yield alphabet.decode([id]);
  }
}

/** @throws if there is no prompt, or one that the model cannot read */
export function checkPrompt(prompt: string, alphabet: Alphabet): void {
  if (prompt === '') throw new Error('the prompt must have at least one character.');
  const missing = alphabet.missing(prompt);
  if (missing.length === 0) return;
  const named = missing.map((character) => JSON.stringify(character)).join(', ');
  throw new Error(`the prompt has characters that the model has never read: ${named}.`);
}

/** Tells each part of a text as it comes, and at last the whole, with the speed in parts a second. */
export async function timed(
  text: AsyncIterable<string>,
  onPart: (part: string) => void = () => {},
): Promise<{text: string; perSecond: number}> {
  const parts: string[] = [];
  const begin = performance.now();
  for await (const part of text) {
    onPart(part);
    parts.push(part);
  }
  return {text: parts.join(''), perSecond: parts.length / ((performance.now() - begin) / 1000)};
}
