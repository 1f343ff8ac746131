/** No block of a document is left out: each is held to something, by a test of this folder. */
import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';

import {BLOCKS, Kind, kindOf} from '../support/documents';

test('each block of the documents is run, or checked, by what it is', () => {
  const counts = new Map<Kind, number>();
  for (const block of BLOCKS) counts.set(kindOf(block), (counts.get(kindOf(block)) ?? 0) + 1);
  const words = [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
  console.log(`documents: ${BLOCKS.length} blocks: ${words}`);
  expect(BLOCKS.length).toBeGreaterThan(50);

  // what is printed is compared where its program runs
  const tests = readdirSync(__dirname).map((name) => readFileSync(join(__dirname, name), 'utf8'));
  for (const kind of counts.keys()) {
    if (kind === 'output') continue;
    expect([kind, tests.some((text) => text.includes(`blocksOfKind('${kind}')`))]).toEqual([kind, true]); // prettier-ignore
  }
});

test('nor does a document have code that is indented, or fenced otherwise', () => {
  for (const {document, code} of BLOCKS) {
    expect([document, /^(~~~|\s*```)/m.test(code)]).toEqual([document, false]);
  }
});
