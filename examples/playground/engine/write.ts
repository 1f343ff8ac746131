/** What the view Write asks of its worker: characters, one pull after another. */
import {generate} from 'tfjs-local-attention';

import {onDevice} from './backend';
import {loadLanguage} from './language';

export interface Manner {
  /** 0 always takes the likeliest character; 1 draws from the model's own distribution. */
  temperature: number;
  /** Draws among the likeliest characters that together have this probability. */
  topP: number;
  seed: number;
}

let running: AsyncGenerator<number> | null = null;

/** The page pulls, at its own speed: where it does not, nothing is computed. */
export const write = {
  /** Ends what was written before, and begins to write on after `prompt`, of one character at least. */
  async begin(prompt: string, manner: Manner): Promise<void> {
    const {model, alphabet} = await loadLanguage();
    await running?.return(undefined);
    running = generate(model, alphabet.encode(prompt), {...manner});
  },

  /** The next characters: fewer where no more come. */
  next: (count = 1): Promise<string> =>
    onDevice(async () => {
      const {alphabet} = await loadLanguage();
      const written: number[] = [];
      const mine = running; // another may begin meanwhile
      while (written.length < count && mine) {
        const {value, done} = await mine.next();
        if (done) break;
        written.push(value);
      }
      return alphabet.decode(written);
    }),

  /** The characters of `text` that the model has never read, each once. */
  async missing(text: string): Promise<string[]> {
    return (await loadLanguage()).alphabet.missing(text);
  },
};
