/** The benchmark of a language model beside PyTorch, small. */
import {spawnSync} from 'node:child_process';
import path from 'node:path';

const SMALL = {dim: 24, depth: 1, heads: 1, window: 5, vocabulary: 11, length: 33, prompt: 3, tokens: 7}; // prettier-ignore

test('npx tsx bench/language_model.ts times training and text, of the original too where it is', () => {
  const flags = Object.entries({...SMALL, rounds: 2}).flatMap(([name, n]) => [`--${name}`, `${n}`]);
  const program = ['--import', 'tsx', path.join('bench', 'language_model.ts'), '--json', ...flags];
  const cwd = path.join(__dirname, '..');
  const {status, stdout, stderr} = spawnSync(process.execPath, program, {cwd, encoding: 'utf8'});
  expect(`${status} ${stderr}`).toMatch(/^0/);
  const rows = JSON.parse(stdout.trimEnd().split('\n').pop()!) as Record<string, unknown>[];
  const whats = ['training', 'memory', 'generation'];
  expect(rows.filter(({candidate}) => candidate === 'ours')).toEqual(
    whats.map((what) => ({
      ...{candidate: 'ours', what, threads: 1},
      ...{median: expect.any(Number), best: expect.any(Number)},
    })),
  );
  for (const row of rows) expect(row.best).toBeGreaterThan(0);
  const skipped = stderr.includes('pytorch: PyTorch is not installed');
  expect(rows).toHaveLength(skipped ? 3 : 6);
}, 120_000);
