import {Alphabet} from './alphabet';

export interface Corpus {
  alphabet: Alphabet;
  train: Int32Array;
  /** The end of the text. Nothing is counted or trained on it, not even the alphabet. */
  heldOut: Int32Array;
}

/** A character seen less often than this while training is not worth a number of its own. */
const RARE = 10;

export function normalise(text: string): string {
  return text
    .replace(/\r\n/g, '\n')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** Keeps the last `heldOut` of the text, a fraction, away from training. */
export function split(text: string, heldOut = 0.05, rare = RARE): Corpus {
  const cut = Math.round(text.length * (1 - heldOut));
  const train = text.slice(0, cut);
  const alphabet = Alphabet.of(train, rare);
  return {alphabet, train: alphabet.encode(train), heldOut: alphabet.encode(text.slice(cut))};
}
