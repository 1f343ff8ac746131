/** What the playground draws over a text is what the model computes with. */
import * as tf from '@tensorflow/tfjs';
import {LocalTransformerBlock} from 'tfjs-local-attention';

import {Alphabet} from '../../examples/char_lm/alphabet';
import {buildModel} from '../../examples/char_lm/model';
import {blockInputs, queriesAndKeys, weight} from '../../examples/playground/engine/activations';
import {attentionIn, weightsOf} from '../../examples/playground/engine/attention_weights';

const TEXT = 'the whale, the sea and the ship';
const alphabet = Alphabet.of(TEXT);
const SHAPE = {dim: 24, heads: 3, depth: 2, window: 5, seed: 3};

const model = () => buildModel(alphabet.size, SHAPE);
const blocksOf = (of: tf.LayersModel) =>
  of.layers.filter((layer) => layer instanceof LocalTransformerBlock);

beforeAll(() => tf.setBackend('cpu'));

test('the values by these weights, merged, are the attention of each block', async () => {
  const whole = model();
  const ids = tf.tensor2d(alphabet.encode(TEXT), [1, TEXT.length], 'int32');
  // without what its feed-forward ends with, a block gives x and its attention
  for (const block of blocksOf(whole)) {
    const last = block.weights.find(({originalName}) => /feed_forward\/to_out/.test(originalName))!;
    last.write(tf.zerosLike(last.read()));
  }
  const inputs = blockInputs(whole, ids);
  expect(inputs).toHaveLength(SHAPE.depth);
  for (const {block, x} of inputs) {
    const {v} = queriesAndKeys(block, x);
    const mixed = tf.transpose(tf.matMul(weightsOf(block, x), v), [0, 2, 1, 3]);
    const merged = tf.reshape(mixed, [TEXT.length, SHAPE.dim]);
    const ours = tf.matMul(merged, weight(block, 'to_out/kernel'));
    const theirs = tf.sub(block.apply(x) as tf.Tensor, x);
    const size = tf.max(tf.abs(theirs)).dataSync()[0];
    const apart = tf.max(tf.abs(tf.sub(tf.reshape(ours, theirs.shape), theirs))).dataSync()[0];
    expect(size).toBeGreaterThan(1e-2);
    expect(apart).toBeLessThan(1e-4 * size);
  }
});

test('each row sums to one, over the window alone', async () => {
  const {text, layers} = await attentionIn({model: model(), alphabet}, TEXT);
  expect(text).toBe(TEXT);
  expect(layers.map(({heads}) => heads.length)).toEqual([3, 3]);
  const n = TEXT.length;
  for (const weights of layers.flatMap(({heads}) => heads)) {
    for (let i = 0; i < n; i++) {
      const row = weights.slice(i * n, (i + 1) * n);
      expect(row.reduce((sum, x) => sum + x)).toBeCloseTo(1, 4);
      const seen = [...row.keys()].filter((j) => row[j] !== 0);
      expect(seen[0]).toBe(Math.max(0, i - SHAPE.window));
      expect(seen.at(-1)).toBe(i);
    }
  }
});

test('another window is told as the op is, and nothing stays in memory', async () => {
  const language = {model: model(), alphabet};
  const before = tf.memory().numTensors;
  const wide = await attentionIn(language, TEXT, {causal: false, lookForward: 1});
  expect(tf.memory().numTensors).toBe(before);
  const n = TEXT.length;
  const seen = (i: number) =>
    [...Array(n).keys()].filter((j) => wide.layers[0].heads[0][i * n + j]);
  expect([seen(10)[0], seen(10).at(-1)]).toEqual([5, 15]);
});
