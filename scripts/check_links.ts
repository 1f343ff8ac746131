/**
 * Follows every link of the built site, anchors too, and asks nobody else:
 *
 *     $ npm run build:playground && npm run check:links
 *     4 links to elsewhere: https://arxiv.org/abs/2104.09864 …
 *     2345 links of 120 pages lead somewhere; nothing is loaded from elsewhere
 *
 * Exit status 1 if a link is broken, or if a page would load something from another place.
 */
import {readFileSync, readdirSync} from 'node:fs';
import path from 'node:path';

import {LinkChecker, LinkState} from 'linkinator';

const SITE = path.join(__dirname, '..', 'site');
const ELSEWHERE = /^https?:\/\/(?!localhost[:/])/;
/** What a page would load by itself, from a place that has a name. */
const LOADS = [
  /<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc="(?:https?:)?\/\/[^"]*"/g,
  /<link\b(?![^>]*rel="canonical")[^>]*\bhref="(?:https?:)?\/\/[^"]*"/g,
  /url\(\s*["']?(?:https?:)?\/\/[^)]*\)/g,
  /@import\s+["'](?:https?:)?\/\/[^"']*/g,
];

/** What pages and styles would load from elsewhere, each with its file. */
export function loadedFromElsewhere(file: string, text: string): string[] {
  return LOADS.flatMap((pattern) => text.match(pattern) ?? []).map((found) => `${file}: ${found}`);
}

async function main(): Promise<void> {
  const files = readdirSync(SITE, {recursive: true, encoding: 'utf8'});
  const pages = files.filter((file) => /\.(html|css)$/.test(file));
  const html = pages.filter((file) => file.endsWith('.html'));
  const loads = pages.flatMap((file) =>
    loadedFromElsewhere(file, readFileSync(path.join(SITE, file), 'utf8')),
  );
  const {links} = await new LinkChecker().check({
    path: html,
    serverRoot: SITE,
    checkFragments: true,
    checkCss: true,
    linksToSkip: async (link) => ELSEWHERE.test(link),
  });
  const broken = links.filter(({state}) => state === LinkState.BROKEN);
  const elsewhere = [...new Set(links.map(({url}) => url))].filter((url) => ELSEWHERE.test(url));
  const ok = links.filter(({state}) => state === LinkState.OK);
  console.log([`${elsewhere.length} links to elsewhere:`, ...elsewhere].join('\n  '));
  for (const {url, parent, status} of broken)
    console.error(`broken: ${url} (${status}) in ${parent}`);
  for (const load of loads) console.error(`loaded from elsewhere: ${load}`);
  if (broken.length + loads.length > 0) process.exit(1);
  console.log(`${ok.length} links of ${html.length} pages lead somewhere; nothing is loaded from elsewhere`); // prettier-ignore
}

if (require.main === module) void main();
