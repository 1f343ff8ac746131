/** The model that ships with the playground, and the float16 in which it ships. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {
  generate,
  loadCheckpoint,
  registerFasterKernels,
  saveCheckpoint,
} from 'tfjs-local-attention';

import {Alphabet} from '../../examples/char_lm/alphabet';
import {novel} from '../../examples/char_lm/corpus';
import {modelBits, spread} from '../../examples/char_lm/evaluation';
import {buildModel} from '../../examples/char_lm/model';
import {split} from '../../examples/char_lm/split';
import config from '../../examples/playground/model/config.json';
import {float16, halved} from '../../scripts/float16';

const WEIGHTS = join(__dirname, '../../examples/playground/model/weights.safetensors');
const alphabet = new Alphabet(config.alphabet);

beforeAll(async () => {
  await tf.setBackend('cpu');
  registerFasterKernels();
});

test('it is small, predicts as config.json says, and writes on without end', async () => {
  const file = readFileSync(WEIGHTS);
  expect(file.length).toBeLessThan(1.5e6);
  const model = buildModel(alphabet.size, config.shape);
  await loadCheckpoint(model, file);
  expect(model.countParams()).toBe(config.weights);

  const {alphabet: ofBook, heldOut} = split(novel());
  expect(ofBook.characters).toBe(config.alphabet);
  const bits = await modelBits(model, heldOut, spread(heldOut, 128, 32, 8)); // of 160
  expect(Math.abs(bits - config.bitsPerChar.model)).toBeLessThan(0.2);

  let written = '';
  const prompt = alphabet.encode('Call me ');
  for await (const id of generate(model, prompt, {temperature: 0.6, seed: 1})) {
    written += alphabet.decode([id]);
    if (written.length === 300) break; // more than it was trained on at once
  }
  expect(written).toMatch(/ (the|of|and|in|to) /);
});

test('half of a file is read as the whole one rounded', async () => {
  const model = () => buildModel(20, {dim: 16, heads: 2, depth: 1, window: 3, seed: 4});
  const [whole, half] = [model(), model()];
  await loadCheckpoint(half, halved(await saveCheckpoint(whole)));
  whole.getWeights().forEach((weight, at) => {
    const rounded = half.getWeights()[at].dataSync<'float32'>();
    weight.dataSync<'float32'>().forEach((x, i) => {
      const most = Math.max(Math.abs(x), 2 ** -14) * 2 ** -11;
      if (!(Math.abs(x - rounded[i]) <= most)) throw new Error(`${x} became ${rounded[i]}`);
    });
  });
});

test.each([
  [0, 0],
  [-0, 0x8000],
  [1, 0x3c00],
  [-2, 0xc000],
  [65504, 0x7bff],
  [2 ** -14, 0x0400],
  [2 ** -24, 0x0001],
  [2 ** -25, 0x0000], // a tie goes to the even one
  [3 * 2 ** -25, 0x0002],
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  [2 - 2 ** -12, 0x4000], // rounded up to the next power
])('%d in float16', (x, bits) => expect(float16(x)).toBe(bits));

test('what float16 does not hold is refused', () => {
  expect(() => float16(65520)).toThrow('float16 does not hold 65520.');
  expect(() => float16(NaN)).toThrow(RangeError);
});
