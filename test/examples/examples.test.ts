/** The examples, each run as its reader would run it. */
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

jest.setTimeout(120_000); // a process each

const ROOT = path.join(__dirname, '..', '..');

function run(name: string): string {
  const file = path.join('examples', `${name}.ts`);
  const command = ['--no-install', 'tsx', file];
  return execFileSync('npx', command, {cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']}); // prettier-ignore
}

/** What the comment at the top of an example says it prints: its lines indented by four. */
function promised(name: string): string[] {
  const source = fs.readFileSync(path.join(ROOT, 'examples', `${name}.ts`), 'utf8');
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
