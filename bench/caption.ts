/** What stands under a table of results: of what machine, versions and commits its rows are. */
import {distinct} from './table';

type Row = Record<string, string>;

const known = (what: string, value: string) => (value === 'unknown' ? `${what} unknown` : value);

const placeOf = ({device, runtime, tfjs, version}: Row) =>
  [
    ...[known('device', device), known('runtime', runtime)],
    ...[`TF.js ${tfjs}`, `tfjs-local-attention ${version}`],
  ].join(', ');

const backendOf = ({backend, host}: Row) => (host === 'node' ? backend : `${backend} in a page`);

/** One sentence where all rows are of one machine, else one for each, which begins with its backends. */
export function captionOf(rows: readonly Row[]): string {
  const places = distinct(rows.map(placeOf));
  const sentences = places.map((place) => {
    const here = rows.filter((row) => placeOf(row) === place);
    const commits = distinct(here.map(({commit}) => commit));
    const backends = distinct(here.map(backendOf)).join('; ');
    const words = `${place}, ${commits.length > 1 ? 'commits' : 'commit'} ${commits.join(', ')}.`;
    return places.length > 1 ? `${backends}: ${words}` : words[0].toUpperCase() + words.slice(1);
  });
  return `_${sentences.join(' ')}_\n`;
}
