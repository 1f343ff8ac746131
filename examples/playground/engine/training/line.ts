/** A line that the model writes. */
import {CharacterModel} from '../../../char_lm/character_model';
import {continueText} from '../../../char_lm/sample';

export interface LineOptions {
  prompt: string;
  characters: number;
  temperature: number;
  seed: number;
}

/** A sample is broken off after so much time: a GPU that is a program writes slowly. */
const SAMPLE_MS = 1500;

/** @param onPart told each character as it is written */
export async function writeLine(
  written: CharacterModel,
  {prompt, ...options}: LineOptions,
  goesOn: () => boolean,
  onPart: (part: string) => void = () => {},
): Promise<string> {
  let text = '';
  for await (const character of continueText(written, prompt, options)) {
    text += character;
    onPart(character);
    if (!goesOn()) break; // the page is heard between two characters: generate lets others have their turn
  }
  return text;
}

/** A line to look at while training: the same seed each time, so that what changes is the model. */
export async function sampleOf(
  written: CharacterModel,
  prompt: string,
  goesOn: () => boolean,
): Promise<{prompt: string; text: string}> {
  const end = performance.now() + SAMPLE_MS;
  const known = [...prompt].filter((one) => written.alphabet.missing(one).length === 0).join('');
  const opening = known || written.alphabet.characters[0];
  const options = {prompt: opening, characters: 90, temperature: 0.7, seed: 1};
  const text = await writeLine(written, options, () => goesOn() && performance.now() < end);
  return {prompt: opening, text: text.replace(/\s+/g, ' ')};
}
