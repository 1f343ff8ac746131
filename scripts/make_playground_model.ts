/**
 * Makes the model that ships with examples/playground, by `npm start`: its own code and flags.
 *
 *     node --import tsx scripts/make_playground_model.ts                   trains, 20 minutes on two cores
 *     node --import tsx scripts/make_playground_model.ts models/moby-dick  takes one that npm start saved
 *
 * It writes the weights in float16 as PyTorch names them, and config.json: the shape, the alphabet, and
 * how well the rounded weights predict the end of the book, which they were not trained on.
 */
import {spawnSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {
  LocalTransformerBlock,
  loadCheckpoint,
  registerFasterKernels,
  saveCheckpoint,
} from 'tfjs-local-attention';

import {chooseBackend} from '../examples/char_lm/backend';
import type {CharacterModel} from '../examples/char_lm/character_model';
import {novel} from '../examples/char_lm/corpus';
import {modelBits, pairsIn, spread} from '../examples/char_lm/evaluation';
import {buildModel} from '../examples/char_lm/model';
import {bigramBits, unigramBits, uniformBits} from '../examples/char_lm/ngram';
import type {ModelShape} from '../examples/char_lm/shape';
import {split} from '../examples/char_lm/split';
import {load} from '../examples/char_lm/store';
import {halved} from './float16';

const ROOT = join(__dirname, '..');
const INTO = join(ROOT, 'examples/playground/model');
const TRAINED = 'models/playground';
const FLAGS = '--backend wasm --dim 96 --heads 4 --depth 3 --window 12 --rate 4e-3'.split(' ');
const LENGTH = 128; // as npm start measures

async function main(): Promise<void> {
  const folder = process.argv[2] ?? train();
  await chooseBackend('wasm');
  registerFasterKernels();
  const trained = await load(folder);
  const shape = shapeOf(trained);
  const weights = halved(await saveCheckpoint(trained.model));

  const shipped = buildModel(trained.alphabet.size, shape);
  await loadCheckpoint(shipped, weights);
  const bitsPerChar = await bits({...trained, model: shipped});
  mkdirSync(INTO, {recursive: true});
  writeFileSync(join(INTO, 'weights.safetensors'), weights);
  const config = {
    shape,
    weights: shipped.countParams(),
    alphabet: trained.alphabet.characters,
    bitsPerChar,
  };
  writeFileSync(join(INTO, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  console.log(`${weights.length} bytes of weights`, bitsPerChar);
}

function train(): string {
  const flags = [...FLAGS, '--steps', '1000000', '--seconds', '1200', '--out', TRAINED];
  const program = ['--import', 'tsx', join(ROOT, 'examples/char_lm/train.ts'), ...flags];
  const {status} = spawnSync(process.execPath, program, {stdio: 'inherit', cwd: ROOT});
  if (status !== 0) throw new Error(`npm start ended with ${status}.`);
  return join(ROOT, TRAINED);
}

/** What a model was built with. */
function shapeOf({model}: CharacterModel): ModelShape {
  const blocks = model.layers.filter((layer) => layer instanceof LocalTransformerBlock);
  const {dim, heads, attention} = blocks[0].config.attention;
  return {dim, heads, depth: blocks.length, window: attention.windowSize!, seed: 1};
}

async function bits({model, alphabet}: CharacterModel): Promise<Record<string, number>> {
  const {train: text, heldOut} = split(novel());
  const windows = spread(heldOut, LENGTH, LENGTH / 4, 160);
  const pairs = pairsIn(heldOut, windows);
  const all = {
    model: await modelBits(model, heldOut, windows),
    uniform: uniformBits(alphabet.size),
    unigram: unigramBits(text, alphabet.size, pairs),
    bigram: bigramBits(text, alphabet.size, pairs),
  };
  return Object.fromEntries(Object.entries(all).map(([name, x]) => [name, Number(x.toFixed(3))]));
}

main().catch((error: Error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
