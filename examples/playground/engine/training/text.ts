/** A text to train on: what is asked of it, in sentences, and how it becomes numbers. */
import type {Alphabet} from '../../../char_lm/alphabet';
import {Corpus, normalise, split} from '../../../char_lm/split';

/** Characters of the shortest text: its held-out end must have a window to predict. */
const LEAST = 5000;
const MOST_BYTES = 20e6;
/** Different characters. A model of this size learns no more by heart. */
const MOST_KINDS = 400;
/** Of a text, the part that a model may be unable to read. */
const MOST_UNKNOWN = 0.05;

const count = (n: number) => n.toLocaleString('en');
const percent = (part: number) => `${Math.round(100 * part)} %`;

/** The words of a file. @throws in a sentence, if it is not text, or too much or too little of it */
export function textOf(bytes: ArrayBuffer, name: string): string {
  if (bytes.byteLength > MOST_BYTES) {
    throw new Error(`${name} has ${count(bytes.byteLength)} bytes; the page reads ${count(MOST_BYTES)} at most. Give it a part of the text.`); // prettier-ignore
  }
  const text = normalise(decoded(bytes, name));
  const {length} = text;
  if (length < LEAST) {
    throw new Error(`${name} is too short to learn from: it has ${count(length)} characters, and at least ${count(LEAST)} are needed.`); // prettier-ignore
  }
  return text;
}

function decoded(bytes: ArrayBuffer, name: string): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', {fatal: true}).decode(bytes);
  } catch {
    throw new Error(`${name} is not UTF-8 text. Save it as UTF-8 in an editor, and drop it again.`);
  }
  if (text.includes('\0')) throw new Error(`${name} is not text: it has zero bytes in it.`);
  return text;
}

/** For a model that is yet to be made. Characters that occur once or twice share a number. */
export function corpusFor(text: string, name: string): Corpus {
  const corpus = split(text, 0.05, text.length < 200_000 ? 3 : 10);
  const kinds = corpus.alphabet.size;
  const meant = 'It is made for texts that are spelt with letters.';
  if (kinds > MOST_KINDS) {
    throw new Error(`${name} has ${count(kinds)} different characters; a model of this page knows ${MOST_KINDS} at most. ${meant}`); // prettier-ignore
  }
  const rare = unknownOf(corpus.train);
  if (rare > MOST_UNKNOWN) {
    throw new Error(`${name} cannot be learned from: ${percent(rare)} of it are characters that it has hardly ever. ${meant}`); // prettier-ignore
  }
  return corpus;
}

/** For a model that has an alphabet already. */
export function corpusWith(text: string, name: string, alphabet: Alphabet): Corpus {
  const cut = Math.round(text.length * 0.95);
  const [train, heldOut] = [text.slice(0, cut), text.slice(cut)].map((part) =>
    alphabet.encode(part),
  );
  const unknown = unknownOf(train);
  if (unknown <= MOST_UNKNOWN) return {alphabet, train, heldOut};
  throw new Error(`The model cannot read ${name}: it has never seen ${percent(unknown)} of its characters. Begin a new model for this text.`); // prettier-ignore
}

/** The part of a text that the alphabet does not know: those share number 0. */
function unknownOf(ids: ArrayLike<number>): number {
  return Array.from(ids).reduce((sum, id) => sum + +(id === 0), 0) / ids.length;
}

/** The first words of a text, to begin samples with. */
export function openingOf(text: string): string {
  const words = text.slice(0, 200).split(/\s+/).slice(0, 2).join(' ');
  return `${words.slice(0, 24)} `;
}
