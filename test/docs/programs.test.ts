/** The programs of the documents run, and print what stands below them. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import ts from 'typescript';
import {localTransformer, ready, saveCheckpoint} from 'tfjs-local-attention';

import {useBackend} from '../support/backends';
import {BLOCKS, ROOT, blocksOfKind} from '../support/documents';
import {FixtureTensor, localMHAFixtures} from '../support/fixtures';

jest.setTimeout(120_000);

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

const home = process.cwd();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'documents-'));
const {fetch} = globalThis;

beforeAll(async () => {
  process.chdir(folder); // they write files
  await useBackend('cpu');
  const model = localTransformer({numTokens: 256, maxSeqLen: 1024, dim: 32, depth: 1});
  const bytes = await saveCheckpoint(model);
  fs.writeFileSync('model.safetensors', bytes);
  fs.writeFileSync('mha.json', JSON.stringify(pytorchExport()));
  const weights = namesIn(bytes).map((name) => [name, 'model-00001-of-00001.safetensors']);
  const index = {weight_map: Object.fromEntries(weights)};
  globalThis.fetch = async (url) => {
    const at = String(url);
    if (at.endsWith('.index.json')) return new Response(JSON.stringify(index));
    if (at.startsWith('https://example.org/')) return new Response(new Uint8Array(bytes));
    throw new Error(`a document asks for ${at}.`);
  };
});

beforeEach(() => useBackend('cpu'));
afterEach(() => ready({threads: 1})); // the threads of one are not those of the next

afterAll(() => {
  globalThis.fetch = fetch;
  process.chdir(home);
  fs.rmSync(folder, {recursive: true});
});

test.each(blocksOfKind('program'))('$document, $heading: prints what stands below it', async ({code, prints}) => {
  expect(await run(code)).toBe(prints ?? '');
}); // prettier-ignore

test('the first is examples/quickstart.mts', () => {
  const example = fs.readFileSync(path.join(ROOT, 'examples/quickstart.mts'), 'utf8');
  const [first] = blocksOfKind('program');
  expect(BLOCKS.indexOf(first)).toBeLessThan(5);
  expect(example.slice(example.indexOf('*/\n') + 3)).toBe(first.code);
});

/** The tensors of a safetensors file. */
function namesIn(file: Uint8Array<ArrayBuffer>): string[] {
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  return Object.keys(header).filter((name) => name !== '__metadata__');
}

/** What the Python of docs/pytorch.md would write, with the numbers that the original gave us. */
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
