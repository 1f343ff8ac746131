/** The examples, each run as its reader would run it. */
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

jest.setTimeout(120_000); // a process each

const ROOT = path.join(__dirname, '..', '..');

/** With await outside of functions it is a module of Node. */
const fileOf = (name: string) =>
  path.join('examples', name === 'quickstart' ? `${name}.mts` : `${name}.ts`);

function run(name: string): string {
  const file = fileOf(name);
  const command = ['--no-install', 'tsx', file];
  return execFileSync('npx', command, {cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']}); // prettier-ignore
}

/** What the comment at the top of an example says it prints: its lines indented by four. */
function promised(name: string): string[] {
  const source = fs.readFileSync(path.join(ROOT, fileOf(name)), 'utf8');
  const comment = source.slice(0, source.indexOf('*/')).split('\n');
  return comment.filter((line) => line.startsWith(' *     ')).map((line) => line.slice(7));
}

test('quickstart prints what its comment says', () => {
  expect(run('quickstart').trimEnd().split('\n')).toEqual(promised('quickstart'));
});

test('see_the_window draws every mode, with as many keys as the definition gives', () => {
  const lines = run('see_the_window').trimEnd().split('\n');
  expect(lines).toHaveLength(16);
  // w = 3, one window back, and one forward unless causal
  expect(lines[15].split(/\s{2,}/)).toEqual(['9 keys', '4 to 6 keys', '7 keys', '4 keys']);
  // query 7
  expect(lines[10].split(/\s{2,}/)).toEqual([
    '... ### ### ###',
    '... ### ##. ...',
    '... .## ### ##.',
    '... .## ##. ...',
  ]);
});

test('sequential_fit learns, and forecasts better than either forecast without a model', () => {
  const output = run('sequential_fit');
  const numbers = (pattern: RegExp) => output.match(pattern)!.slice(1).map(Number);
  const [first, last] = numbers(/Loss: ([\d.]+), after 200 epochs ([\d.]+)/);
  expect(last).toBeLessThan(first / 5);
  const [still, seasonal, model] = numbers(
    /as last month +([\d.]+)\n.*a year before +([\d.]+)\n.*the model +([\d.]+)/,
  );
  expect(model).toBeLessThan(seasonal);
  expect(model).toBeLessThan(still / 2);
  // the comment shows this output; another processor may round otherwise
  const shown = Number(
    promised('sequential_fit')
      .pop()!
      .match(/[\d.]+$/)![0],
  );
  expect(Math.abs(model - shown)).toBeLessThan(0.03);
});

test('co2_stream learns, and month by month forecasts what it would all at once', () => {
  const output = run('co2_stream');
  const numbers = (pattern: RegExp) => output.match(pattern)!.slice(1).map(Number);
  const [first, last] = numbers(/Loss: ([\d.]+), after 150 epochs ([\d.]+)/);
  expect(last).toBeLessThan(first / 5);
  expect(output.match(/forecast, [\d.]+ measured/g)).toHaveLength(6);
  const [months, error, difference] = numbers(
    /error of (\d+) months from 2010 on, in ppm: ([\d.]+)\n.* at once: ([\d.]+)\n/,
  );
  expect(months).toBe(124);
  expect(error).toBeLessThan(0.41); // 0.43 is that of changing as it did a year before
  expect(difference).toBeLessThan(1e-3);
});

test('keyword_spotting finds nearly all keywords, at once, and nearly nothing else', () => {
  const output = run('keyword_spotting');
  const numbers = (pattern: RegExp) => output.match(pattern)!.slice(1).map(Number);
  const [first, last] = numbers(/Loss: ([\d.]+), after 12 epochs ([\d.]+)/);
  expect(last).toBeLessThan(first / 5);
  // the comment shows those of the same sound; another processor may round otherwise
  const [found, keywords, falseAlarms] = numbers(/Keywords: (\d+) of (\d+) found, (\d+) false/);
  expect(keywords).toBe(18);
  expect(found).toBeGreaterThanOrEqual(17);
  expect(falseAlarms).toBeLessThanOrEqual(1);
  expect(output.match(/ s {2}a keyword/g)).toHaveLength(found);
});
