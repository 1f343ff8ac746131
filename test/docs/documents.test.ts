/** The documents are held to the code: their tables and pictures are whole, and what they link to is there. */
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {loadCheckpoint, localTransformer, saveCheckpoint} from 'tfjs-local-attention';

import {DOCUMENTS as WITH_TABLES, withTables} from '../../bench/markdown';
import {WEIGHT_OPTIONS} from '../../layers/keras/weight_options';
import {WITH_OPTIONS, withOptionTables} from '../../scripts/option_tables';
import {DOCUMENTS, ROOT, blocksOfKind, textOf} from '../support/documents';
import {Stored, float32, packed} from '../support/safetensors_file';

jest.setTimeout(120_000);

test('README.md has 1500 words at most, and is for who comes first', () => {
  expect(textOf('README.md').split(/\s+/).filter(Boolean).length).toBeLessThanOrEqual(1500);
});

describe('pictures', () => {
  const pictureOf = (document: string) => blocksOfKind('picture').filter((block) => block.document === document).map(({code}) => code); // prettier-ignore

  test('that of the window is what examples/see_the_window.ts draws, and README shows parts of it', () => {
    const command = ['--no-install', 'tsx', 'examples/see_the_window.ts'];
    const drawn = execFileSync('npx', command, {cwd: ROOT, encoding: 'utf8', stdio: 'pipe'});
    expect(pictureOf('docs/window.md')).toEqual([drawn]);
    const [titles, ...rows] = pictureOf('README.md')[0].trimEnd().split('\n');
    expect(pictureOf('README.md')).toHaveLength(1);
    const columns = (line: string) => line.split(/ {2,}/);
    const all = drawn.split('\n').slice(2).map(columns);
    const shown = columns(titles).map((title) => all[0].indexOf(title));
    expect(rows.map(columns)).toEqual(rows.map((_, at) => shown.map((c) => all[at + 1][c])));
  });

  test('of what npm start prints it is what the program itself says', () => {
    const [printed] = pictureOf('docs/language_models.md');
    const said = textOf('examples/char_lm/train.ts');
    for (const line of printed.match(/^ {2}\w+ +[\d.]+$/gm)!) expect(said).toContain(line);
  });

  test('the ladder of CONTRIBUTING.md names files that are there', () => {
    for (const picture of pictureOf('CONTRIBUTING.md')) {
      for (const [file] of picture.matchAll(/(src|test)\/\S+/g)) expect(fs.existsSync(path.join(ROOT, file))).toBe(true); // prettier-ignore
    }
  });

  test('a checkpoint that does not fit is refused in the words of docs/pytorch.md', async () => {
    const [sentence] = pictureOf('docs/pytorch.md');
    const options = {numTokens: 256, maxSeqLen: 1024, dim: 32, depth: 1};
    const file = spoilt(await saveCheckpoint(localTransformer(options)));
    await expect(loadCheckpoint(localTransformer(options), file)).rejects.toThrow(
      sentence.trim().replace(/\n/g, ' '),
    );
  });
});

/** Without its positions, with a smaller last matrix, and with one more. */
function spoilt(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const stored = new Map<string, Stored>();
  delete header.__metadata__;
  for (const [name, {dtype, shape, data_offsets: offsets}] of Object.entries<Described>(header)) {
    const [begin, end] = offsets.map((at) => 8 + length + at);
    stored.set(name, {dtype, shape, bytes: bytes.subarray(begin, end)});
  }
  stored.delete('pos_emb.weight');
  const logits = stored.get('to_logits.1.weight')!;
  stored.set('to_logits.1.weight', {
    ...logits,
    shape: [128, 32],
    bytes: logits.bytes.subarray(0, 4 * 128 * 32),
  });
  stored.set('head.weight', float32(1));
  return packed(stored);
}

interface Described {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

describe('tables and links', () => {
  test.each(WITH_TABLES)('the tables of %s are what was measured', (name) => {
    const document = fs.readFileSync(path.join(ROOT, name), 'utf8');
    expect(document).toContain('<!-- bench/markdown.ts ');
    expect(document).toContain('| wasm: fused');
    expect(withTables(document)).toBe(document);
  });

  test.each(DOCUMENTS)('every file that %s links to is there', (name) => {
    const file = path.join(ROOT, name);
    const links = [...fs.readFileSync(file, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)];
    for (const [, link] of links) {
      expect([link, fs.existsSync(path.join(path.dirname(file), link))]).toEqual([link, true]);
    }
  });
});

describe('options in the documents', () => {
  test('the tables are what the code says', () => {
    expect(textOf('docs/layers.md').match(/<!-- scripts\/option_tables.ts \w+ -->/g)).toHaveLength(
      2,
    );
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
      for (const word of named) expect(textOf('docs/layers.md')).toContain(`\`${word}\``);
    }
  });
});
