/** What was looked at before a character was written: of the chosen one, else of the newest. */
import type {Remote} from 'comlink';

import type {attention} from '../../engine/attention';
import {nameOf, showHeads} from './heads';
import type {Text} from './text';

/** Characters that are read again for it: the rows of a picture, and all that their blocks saw. */
const READ = 64;
const FOLLOWED_MS = 400;

export interface Look {
  /** The chosen character is another one. */
  render(): void;
  /** A character was written. */
  follow(): void;
}

export function look(
  section: HTMLElement,
  text: Text,
  reader: () => Remote<typeof attention> | null,
  shape: {depth: number; heads: number; window: number},
): Look {
  const heads = showHeads(
    section.querySelector('#heads')!,
    section.querySelector('#all-heads')!,
    shape,
    () => void render(),
  );
  const said = section.querySelector('#looked')!;
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  let busy = false;
  let again = false;
  let followed = -Infinity;

  /** One question at a time; of those that come meanwhile the last is asked. */
  const render = async () => {
    again = true;
    if (busy) return;
    busy = true;
    try {
      while (again) {
        again = false;
        await ask();
      }
    } catch {
      said.textContent = 'What was looked at cannot be computed now.';
    } finally {
      busy = false;
    }
  };

  const ask = async () => {
    const of = reader();
    const chosen = text.chosen();
    const read = text.before(READ);
    if (chosen && read === '') said.textContent = 'Nothing was before it to look at.';
    if (!of || read === '') return;
    const seen = await of.attentionOf(read);
    heads.show(seen);
    if (text.chosen() !== chosen) return; // the pointer is elsewhere by now
    const looks = heads.looks(seen);
    const most = mostOf([...read], looks);
    said.textContent = chosen ? `Before ${nameOf(chosen.textContent!)} was written: ${most}.` : NEWEST; // prettier-ignore
    if (chosen) text.tint(strongest(looks));
  };

  addEventListener('theme', () => void render());
  return {
    render: () => void render(),
    follow() {
      if (text.chosen() !== null || still) return;
      if (performance.now() - followed < FOLLOWED_MS) return;
      followed = performance.now();
      void render();
    },
  };
}

const NEWEST = 'Before the newest character was written. Choose one in the text to stay with it.';

/** In words, for those who do not see the tints, the two that were looked at most. */
function mostOf(characters: string[], looks: number[]): string {
  const places = [...looks.keys()].sort((a, b) => looks[b] - looks[a]).slice(0, 2);
  const words = places.map((place) => {
    const back = characters.length - 1 - place;
    return `${nameOf(characters[place])}, ${back === 0 ? 'just read' : `${back} before that`}`;
  });
  return `looked at most, ${words.join('; then ')}`;
}

/** The most looked at is tinted fully. */
function strongest(looks: number[]): number[] {
  const most = Math.max(...looks);
  return looks.map((look) => look / most);
}
