/** The documents are held to the code: their programs run and print what they say, their tables are whole. */
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import ts from 'typescript';

import {DOCUMENTS, withTables} from '../bench/markdown';
import {WEIGHT_OPTIONS} from '../layers/keras/weight_options';
import {WITH_OPTIONS, withOptionTables} from '../scripts/option_tables';
import {useBackend} from './support/backends';
import {FixtureTensor, localMHAFixtures} from './support/fixtures';

jest.setTimeout(120_000);

const ROOT = path.join(__dirname, '..');
const README = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');

interface Block {
  language: string;
  code: string;
}

/** The fenced blocks of a text, in order. */
function blocksOf(text: string): Block[] {
  const fences = text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm);
  return [...fences].map(([, language, code]) => ({language, code}));
}

/** The programs of a document, and what it says that they print. */
function programsOf(text: string) {
  const blocks = blocksOf(text);
  return blocks
    .map((block, at) => ({...block, next: blocks[at + 1]}))
    .filter(({language}) => language === 'ts' || language === 'js')
    .map(({code, next}) => ({
      code,
      prints: next?.language === 'text' ? next.code : null,
      heading: text
        .slice(0, text.indexOf(code))
        .match(/^#+ .*$/gm)!
        .pop(),
    }));
}

const LANGUAGE_MODELS = fs.readFileSync(path.join(ROOT, 'docs/language_models.md'), 'utf8');
const blocks = blocksOf(README);
const programs = programsOf(README);

/** What a program prints. */
async function run(code: string): Promise<string> {
  const {outputText} = ts.transpileModule(code, {
    compilerOptions: {module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true}, // prettier-ignore
  });
  const printed: string[] = [];
  const spoken = {log: (...words: unknown[]) => printed.push(`${words.join(' ')}\n`)};
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  await AsyncFunction('require', 'exports', 'console', outputText)(require, {}, spoken);
  return printed.join('');
}

describe('programs of the documents', () => {
  const home = process.cwd();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'readme-'));

  beforeAll(async () => {
    await useBackend('cpu');
    process.chdir(folder); // they write files
    fs.writeFileSync('mha.json', JSON.stringify(pytorchExport()));
  });

  afterAll(() => {
    process.chdir(home);
    fs.rmSync(folder, {recursive: true});
  });

  test.each([...programs, ...programsOf(LANGUAGE_MODELS)])(
    '$heading: prints what stands below it',
    async ({code, prints}) => {
      expect(prints).not.toBeNull();
      expect(await run(code)).toBe(prints);
    },
  );

  test('the first is examples/quickstart.ts', () => {
    const example = fs.readFileSync(path.join(ROOT, 'examples/quickstart.ts'), 'utf8');
    expect(example.slice(example.indexOf('*/\n') + 3)).toBe(programs[0].code);
  });

  test('the picture is what examples/see_the_window.ts draws', () => {
    const command = ['--no-install', 'tsx', 'examples/see_the_window.ts'];
    const drawn = execFileSync('npx', command, {cwd: ROOT, encoding: 'utf8', stdio: 'pipe'});
    expect(blocks.map(({code}) => code)).toContain(drawn);
  });

  test('npm knows the scripts that it names', () => {
    const {scripts} = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
    const named = [...README.matchAll(/npm (?:run )?(start|test|generate)\b/g)].map(([, name]) => name); // prettier-ignore
    expect(new Set(named)).toEqual(new Set(['start', 'generate', 'test']));
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  });

  test.each(DOCUMENTS)('the tables of %s are what was measured', (name) => {
    const document = fs.readFileSync(path.join(ROOT, name), 'utf8');
    expect(document).toContain('| wasm: fused');
    expect(withTables(document)).toBe(document);
  });

  test.each([
    'README.md',
    'CONTRIBUTING.md',
    'docs/language_models.md',
    'docs/parity.md',
    'docs/pytorch.md',
    'docs/math.md',
    'docs/performance.md',
  ])('every file that %s links to is there', (name) => {
    const file = path.join(ROOT, name);
    const links = [...fs.readFileSync(file, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)];
    for (const [, link] of links) {
      expect([link, fs.existsSync(path.join(path.dirname(file), link))]).toEqual([link, true]);
    }
  });
});

/** What the Python of the README would write, with the numbers that the original gave us. */
function pytorchExport() {
  const {weights, x, out} = localMHAFixtures().find(({name}) => name === 'causal')!;
  const asPyTorch = ({shape: [rows, columns], data}: FixtureTensor) => ({
    shape: [columns, rows],
    data: Array.from({length: data.length}, (_, i) => data[(i % rows) * columns + ((i / rows) | 0)]), // prettier-ignore
  });
  return {
    weights: {
      'to_qkv.weight': asPyTorch(weights['to_qkv/kernel']),
      'attn_fn.rel_pos.inv_freq': {shape: [2], data: [1, 0.01]},
      'to_out.weight': asPyTorch(weights['to_out/kernel']),
    },
    x,
    out,
  };
}

describe('options in the documents', () => {
  test('the tables are what the code says', () => {
    expect(README.match(/<!-- scripts\/option_tables.ts \w+ -->/g)).toHaveLength(2);
    for (const name of WITH_OPTIONS) {
      const document = fs.readFileSync(path.join(ROOT, name), 'utf8');
      expect(document).toContain('<!-- scripts/option_tables.ts ');
      expect(withOptionTables(document)).toBe(document);
    }
  });

  test('the options of the weights are named', () => {
    const kinds = ['Initializer', 'Regularizer', 'Constraint'];
    for (const name of WEIGHT_OPTIONS) {
      // "the same three with bias"
      const named = name.startsWith('bias') ? kinds.map((kind) => `kernel${kind}`) : [name];
      for (const word of named) expect(README).toContain(`\`${word}\``);
    }
  });
});
