/** How well a model predicts what it has not read, and the tables that it is compared with. */
import type {CharacterModel} from '../../../char_lm/character_model';
import {Windows, modelBits, pairsIn, spread} from '../../../char_lm/evaluation';
import {bigramBits, uniformBits} from '../../../char_lm/ngram';
import type {Corpus} from '../../../char_lm/split';
import {LENGTH} from './plan';
import {othersFirst} from './turns';

const WINDOWS = 32;
/** Between two of these many windows it may be left. */
const AT_ONCE = 4;

export function windowsOf({heldOut}: Corpus): Windows {
  return spread(heldOut, LENGTH, LENGTH / 4, WINDOWS);
}

export interface Baselines {
  uniform: number;
  bigram: number;
}

export function baselinesOf(corpus: Corpus): Baselines {
  const {alphabet, train, heldOut} = corpus;
  const pairs = pairsIn(heldOut, windowsOf(corpus));
  return {
    uniform: uniformBits(alphabet.size),
    bigram: bigramBits(train, alphabet.size, pairs),
  };
}

/** Bits per held-out character, or null where `goesOn` said no before all were read. */
export async function heldOutBits(
  {model}: CharacterModel,
  corpus: Corpus,
  goesOn: () => boolean,
): Promise<number | null> {
  const windows = windowsOf(corpus);
  let sum = 0;
  for (let first = 0; first < windows.starts.length; first += AT_ONCE) {
    if (!goesOn()) return null;
    const starts = windows.starts.slice(first, first + AT_ONCE);
    sum += starts.length * (await modelBits(model, corpus.heldOut, {...windows, starts}));
    await othersFirst();
  }
  return sum / windows.starts.length;
}
