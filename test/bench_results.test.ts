/** Results say of what they are: machine, versions and commit, in their files and under each table. */
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {captionOf} from '../bench/caption';
import {rowsOf} from '../bench/csv';
import {withTables} from '../bench/markdown';
import {origin} from '../bench/origin';
import {processor} from '../bench/processor';
import {runtime} from '../bench/runtime';

const ROOT = path.join(__dirname, '..');
const RESULTS = path.join(ROOT, 'bench/results');
const FILES = fs.readdirSync(RESULTS).filter((name) => name.endsWith('.csv'));

const ROW = {
  ...{backend: 'wasm', host: 'node', device: 'AMD EPYC', runtime: 'Node 20.20.2'},
  ...{tfjs: '4.22.0', version: '0.1.0', commit: '446692d7'},
};

test.each(FILES)('each row of %s names device, runtime, versions and commit', (name) => {
  const rows = rowsOf(fs.readFileSync(path.join(RESULTS, name), 'utf8'));
  expect(rows.length).toBeGreaterThan(0);
  for (const {device, runtime, tfjs, version, commit} of rows) {
    for (const value of [device, runtime, tfjs, version]) expect(value).not.toBe('');
    expect(commit).toMatch(/^([0-9a-f]{8}\+?|unknown)$/);
  }
});

test('what the benchmark writes names this machine and what was measured', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'results-'));
  const file = path.join(folder, 'rows.csv');
  const flags = ['--workload', 'W3', '--backend', 'wasm', '--what', 'forward', '--rounds', '1'];
  const args = ['--import', 'tsx', 'bench/run.ts', ...flags, '--csv', file];
  const {status} = spawnSync(process.execPath, args, {cwd: ROOT, stdio: 'ignore'});
  expect(status).toBe(0);
  for (const row of rowsOf(fs.readFileSync(file, 'utf8'))) {
    expect(row).toMatchObject({device: processor(), runtime: runtime(), ...origin()});
  }
  fs.rmSync(folder, {recursive: true});
});

describe('the line under a table', () => {
  test('is one sentence where all rows are of one machine, with every commit', () => {
    const rows = [ROW, {...ROW, commit: 'a45d4dca'}, ROW];
    expect(captionOf(rows)).toBe(
      '_On AMD EPYC, Node 20.20.2, TF.js 4.22.0, tfjs-local-attention 0.1.0, commits 446692d7, a45d4dca._\n',
    );
  });

  test('is one for each machine, by its backends, and says what is unknown', () => {
    const webgl = {...ROW, backend: 'webgl', host: 'chromium', device: 'unknown'};
    expect(captionOf([ROW, webgl])).toMatch(
      /^_wasm: on AMD EPYC, .*commit 446692d7\. webgl in a page: on an unknown device, Node .*\._\n$/,
    );
  });

  test('stands under every table that is made', () => {
    for (const document of ['README.md', 'docs/performance.md']) {
      const text = withTables(fs.readFileSync(path.join(ROOT, document), 'utf8'));
      const places = text.match(/<!-- bench\/markdown.ts [\s\S]*?<!-- end -->/g)!;
      for (const place of places) {
        const tables = place.match(/(^\|.*\n)+/gm)!;
        expect(place.match(/^_.* commits? .*\._$/gm)).toHaveLength(tables.length);
      }
    }
  });
});
