/** What a GPU, and a page that repeats another, is asked for all: nothing that a call can ask is left out. */
import {CASES} from '../support/cases';
import {localAttentionFixtures, localMHAFixtures} from '../support/fixtures';
import {Optional, covering} from '../support/sample';

const CALL = ['mask', 'bias', 'attnBias', 'dropout', 'dv', 'windowSize'];

/** The options of any of the cases: numbers by name, others by value too. */
function asked(cases: readonly Optional[]): Set<string> {
  const words = cases.flatMap(({config, ...given}) => [
    ...Object.entries(config).map(([name, x]) => (typeof x === 'number' ? name : `${name} ${x}`)),
    ...CALL.filter((name) => (given as Record<string, unknown>)[name] != null).map(
      (name) => `${name} of the call`,
    ),
  ]);
  return new Set(words);
}

const LISTS: [string, readonly Optional[]][] = [
  ['the cases', CASES],
  ['the original’s calls', localAttentionFixtures()],
  ['the original’s layers', localMHAFixtures()],
];

test.each(LISTS)('every option of %s is asked, by an eighth of them', (_, cases) => {
  const chosen = covering(cases);
  expect([...asked(chosen)].sort()).toEqual([...asked(cases)].sort());
  expect(chosen.length).toBeLessThan(cases.length / 8);
});
