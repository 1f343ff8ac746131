/** The Python of the documents runs, with PyTorch where it is, and reads what TypeScript here has written. */
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {loadCheckpoint, localTransformer, saveCheckpoint} from 'tfjs-local-attention';

import {blocksOfKind} from '../support/documents';
import {shell, testWithPyTorch} from '../support/pytorch';

const folder = mkdtempSync(join(tmpdir(), 'python-'));
const model = () => localTransformer({numTokens: 256, maxSeqLen: 1024, dim: 32, depth: 1});

beforeAll(async () => writeFileSync(join(folder, 'trained.safetensors'), await saveCheckpoint(model()))); // prettier-ignore
afterAll(() => rmSync(folder, {recursive: true}));

describe.each(blocksOfKind('python'))('$document, $heading', ({code}) => {
  testWithPyTorch('runs', () => {
    writeFileSync(join(folder, 'program.py'), code);
    shell(`cd '${folder}' && python program.py`);
  }, 120_000); // prettier-ignore
});

testWithPyTorch('and a model here loads what it has saved', async () => {
  const {loaded} = await loadCheckpoint(model(), readFileSync(join(folder, 'model.safetensors')));
  expect(loaded).toHaveLength(27);
});
