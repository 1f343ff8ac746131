/** The commands of the documents: their programs, files, scripts and options are there. */
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import {ROOT, blocksOfKind, textOf} from '../support/documents';

const {scripts, name, peerDependencies} = JSON.parse(textOf('package.json'));

/** One command of a line: its words, without settings before and redirections after. */
function commandsOf(code: string): string[][] {
  const lines = code.split('\n').map((line) => line.replace(/(^|\s)#.*$/, '').trim());
  return lines
    .flatMap((line) => line.split('&&'))
    .map((command) => command.trim().match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [])
    .map((words) => words.slice(words.findIndex((word) => !/^[A-Z_0-9]+=/.test(word))))
    .filter((words) => words.length > 0);
}

const cases = blocksOfKind('commands').flatMap(({document, code}) =>
  commandsOf(code).map((words) => ({document, command: words.join(' '), words})),
);

test.each(cases)('$document: $command', ({words}) => check(words));

test('there are commands in README and CONTRIBUTING', () => {
  const documents = new Set(cases.map(({document}) => document));
  expect(documents).toContain('README.md');
  expect(documents).toContain('CONTRIBUTING.md');
});

test('a command that names what is not there is found out', () => {
  expect(() => check(['npm', 'run', 'nothing'])).toThrow();
  expect(() => check(['npx', 'tsx', 'examples/nothing.ts'])).toThrow();
  expect(() => check(['npm', 'run', 'bench', '--', '--fast'])).toThrow();
  expect(() => check(['make'])).toThrow('no test knows');
});

/** @throws if the command could not run so */
function check([program, ...words]: string[]): void {
  if (program === 'npm') return checkNpm(words);
  if (program === 'npx') return words[0] === 'jest' ? checkPaths(words) : checkProgram(words.slice(1));
  if (program === 'node') return checkProgram(words.filter((word, i) => word !== '--import' && words[i - 1] !== '--import')); // prettier-ignore
  if (program === 'bash') return checkScript(words);
  if (program === '.ci/run') return fs.accessSync(path.join(ROOT, program), fs.constants.X_OK);
  if (/^(\.venv\/bin\/)?(python3?|pip|torchrun)$/.test(program)) return checkPaths(words);
  if (program === 'apt-get') return expectIn(words.slice(1).filter(isPlain), textOf('.ci/run'));
  throw new Error(`no test knows '${program}'.`);
} // prettier-ignore

const isPlain = (word: string) => !word.startsWith('-');

function checkNpm([verb, ...words]: string[]): void {
  if (verb === 'ci') return expect(words).toEqual([]);
  if (verb === 'install') return expectIn(words, [name, ...Object.keys(peerDependencies)].join(' '));
  const [script, ...rest] = verb === 'run' ? words : [verb, ...words];
  expect(Object.keys(scripts)).toContain(script);
  const [, file] = /--import tsx (\S+)/.exec(scripts[script]) ?? [];
  if (rest.length > 0) checkProgram([file, ...rest.filter((word) => word !== '--')]);
} // prettier-ignore

/** A program of ours, whose --help must name each option, or whose text must. */
function checkProgram([file, ...words]: string[]): void {
  const source = textOf(file);
  const options = words.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0]);
  if (options.length === 0) return;
  if (!source.includes("'commander'")) return expectIn(options, source);
  const command = ['--import', 'tsx', file, '--help'];
  expectIn(options, execFileSync(process.execPath, command, {cwd: ROOT, encoding: 'utf8'}));
}

function checkScript([file, ...words]: string[]): void {
  execFileSync('bash', ['-n', file], {cwd: ROOT});
  expectIn(words, textOf(file));
}

/** What looks like a file or a folder of ours is one, or the beginning of one; a venv is made. */
function checkPaths(words: string[]): void {
  const paths = words.filter((word) => /^(scripts|test|examples)\//.test(word));
  for (const one of paths) {
    const beside = fs.readdirSync(path.join(ROOT, path.dirname(one)));
    expect([one, beside.some((name) => name.startsWith(path.basename(one)))]).toEqual([one, true]);
  }
}

function expectIn(words: string[], text: string): void {
  for (const word of words) expect([word, text.includes(word)]).toEqual([word, true]);
}
