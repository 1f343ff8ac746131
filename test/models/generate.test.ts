/** generate: the tokens of the model's own logits, and nothing left behind, however it ends. */
import * as tf from '@tensorflow/tfjs';

import {LocalTransformerArgs, generate, localTransformer, registerFasterKernels} from '../../src';
import type {GenerateOptions, Prompt} from '../../models/generate';
import {othersFirst} from '../../models/turns';
import {BACKENDS, useBackend} from '../support/backends';
import {living} from '../support/close';

const V = 11;
const SMALL: LocalTransformerArgs = {
  ...{numTokens: V, maxSeqLen: 40, dim: 6, depth: 2, heads: 2, dimHead: 4},
  ...{localAttnWindowSize: 3, numResidualStreams: 1, seed: 5},
  // far from zero, so that the likeliest token is not a matter of rounding
  initializers: {kernel: tf.initializers.glorotNormal({seed: 3}), embeddings: 'randomNormal'},
};
const UNBOUNDED = {...SMALL, maxSeqLen: null, absolutePositions: false};
const PROMPT = [3, 1, 4, 1, 5];

async function collect(tokens: AsyncIterable<number>): Promise<number[]> {
  const all = [];
  for await (const token of tokens) all.push(token);
  return all;
}

/** The likeliest next token by the whole text's forward pass. */
async function likeliest(model: tf.LayersModel, text: number[]): Promise<number> {
  const last = tf.tidy(() => {
    const logits = model.predict(tf.tensor2d([text], [1, text.length], 'int32')) as tf.Tensor;
    return tf.argMax(tf.slice(logits, [0, text.length - 1, 0], [1, 1, V]), -1);
  });
  const [token] = await last.data();
  last.dispose();
  return token;
}

describe.each(BACKENDS)('%s:', (backend) => {
  let models: Record<'bounded' | 'unbounded', tf.LayersModel>;
  beforeAll(async () => {
    await useBackend(backend);
    registerFasterKernels();
    models = {bounded: localTransformer(SMALL), unbounded: localTransformer(UNBOUNDED)};
  });
  afterAll(() => Object.values(models).forEach((model) => model.dispose()));

  let before: ReturnType<typeof living>;
  beforeEach(() => void (before = living()));
  afterEach(() => expect(living()).toEqual(before));

  test('greedy, each token is the likeliest of the forward pass of all before it', async () => {
    for (const model of Object.values(models)) {
      const text = [...PROMPT];
      for await (const token of generate(model, PROMPT, {maxTokens: 13, temperature: 0})) {
        expect(token).toBe(await likeliest(model, text));
        text.push(token);
      }
      expect(text).toHaveLength(PROMPT.length + 13);
    }
  });

  test('the same seed writes the same text, another seed another, and a filter of one is greedy', async () => {
    const write = (options: GenerateOptions) =>
      collect(generate(models.bounded, PROMPT, {maxTokens: 20, ...options}));
    const [first, again, other] = [await write({seed: 1}), await write({seed: 1}), await write({seed: 2})]; // prettier-ignore
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    const greedy = await write({temperature: 0});
    for (const options of [{topK: 1}, {topP: 1e-9}, {filterThres: 0.9}]) {
      expect(await write(options)).toEqual(greedy);
    }
  });

  test('a prompt of any kind, and of any length, is the same prompt', async () => {
    const model = localTransformer({...SMALL, maxSeqLen: 700}); // positions tell if a part is missing
    const long = Array.from({length: 600}, (_, i) => (i * i) % V); // fed in three parts
    const write = (prompt: Prompt) => collect(generate(model, prompt, {maxTokens: 4, seed: 3})); // prettier-ignore
    const want = await write(long);
    const tensors = [tf.tensor1d(long, 'int32'), tf.tensor2d(long, [1, 600], 'int32')];
    for (const prompt of [Int32Array.from(long), ...tensors]) {
      expect(await write(prompt)).toEqual(want);
    }
    tf.dispose(tensors);
    const [first] = await collect(generate(model, long, {maxTokens: 1, temperature: 0})); // prettier-ignore
    expect(first).toBe(await likeliest(model, long));
    model.dispose();
  });

  test('a list may change once it has been given', async () => {
    const prompt = [...PROMPT];
    const options = {maxTokens: 5, temperature: 0};
    const tokens = generate(models.unbounded, prompt, options);
    prompt.length = 0;
    expect(await collect(tokens)).toEqual(
      await collect(generate(models.unbounded, PROMPT, options)),
    );
  });

  test('a token, a list of tokens or a function stops, and what stops is not given out', async () => {
    const write = (options: GenerateOptions) =>
      collect(generate(models.unbounded, PROMPT, {maxTokens: 30, seed: 4, ...options}));
    const all = await write({});
    const at = all.findIndex((token, i) => i > 2 && all.indexOf(token) === i);
    const stop = all[at];
    const never = [...Array(V).keys()].find((token) => !all.includes(token));
    expect(await write({stop})).toEqual(all.slice(0, at));
    expect(await write({stop: never === undefined ? [stop] : [never, stop]})).toEqual(all.slice(0, at)); // prettier-ignore
    expect(await write({stop: (token) => token === stop})).toEqual(all.slice(0, at));
    expect(await write({stop: []})).toEqual(all);
  });

  test('break, an error in the loop and a return before the first token leave nothing', async () => {
    for await (const token of generate(models.unbounded, PROMPT, {seed: 1})) {
      expect(token).toBeLessThan(V);
      expect(living().tensors).toBeGreaterThan(before.tensors); // the decoder's
      break;
    }
    expect(living()).toEqual(before);
    const failing = async () => {
      for await (const token of generate(models.unbounded, PROMPT)) throw new Error(`at ${token}`);
    };
    await expect(failing()).rejects.toThrow('at ');
    await generate(models.unbounded, PROMPT).return();
  });

  test('abort rejects the next token with the reason, also by a timer, and leaves nothing', async () => {
    const aborted: unknown[] = [];
    const write = async (signal: AbortSignal, onToken: (token: number) => void = () => {}) => {
      try {
        const options = {signal, maxTokens: 300}; // an end, should none of this work
        for await (const token of generate(models.unbounded, PROMPT, options)) onToken(token);
      } catch (reason) {
        aborted.push(reason);
      }
    };
    await write(AbortSignal.abort());
    expect(aborted.pop()).toMatchObject({name: 'AbortError'});

    const [first, second] = [new AbortController(), new AbortController()];
    let count = 0;
    await write(first.signal, () => ++count === 3 && first.abort('enough'));
    expect([count, aborted.pop()]).toEqual([3, 'enough']);

    setTimeout(() => second.abort(), 5); // which never came if nothing but promises had their turn
    await write(second.signal);
    expect(aborted.pop()).toMatchObject({name: 'AbortError'});
  });

  test('without maxTokens it ends where the positions do, and the last token needs none', async () => {
    const all = await collect(generate(models.bounded, PROMPT, {seed: 1}));
    expect(all).toHaveLength(40 - PROMPT.length + 1);
    expect(await collect(generate(models.bounded, PROMPT, {seed: 1, maxTokens: 36}))).toEqual(all);
    expect(await collect(generate(models.bounded, new Array(40).fill(1), {}))).toHaveLength(1);
    expect(await collect(generate(models.bounded, PROMPT, {maxTokens: 0}))).toEqual([]);
  });

  test('a model that is disposed in between is an error, and so are weights that are NaN; nothing is left', async () => {
    const model = localTransformer(UNBOUNDED);
    const disposing = async () => {
      for await (const token of generate(model, PROMPT)) if (token >= 0) model.dispose();
    };
    await expect(disposing()).rejects.toThrow('dispose');

    const broken = localTransformer(UNBOUNDED);
    const weights = broken.getWeights().map((weight) => tf.fill(weight.shape, NaN));
    broken.setWeights(weights);
    tf.dispose(weights);
    await expect(collect(generate(broken, PROMPT))).rejects.toThrow(
      "[generate] the model's logits must be finite, got NaN for token 0.",
    );
    broken.dispose();
  });

  test('ids of a tensor are checked when they are read', async () => {
    const prompt = tf.tensor1d([1, V], 'int32');
    await expect(collect(generate(models.bounded, prompt))).rejects.toThrow(
      `[generate] promptIds must be whole numbers from 0 to ${V - 1}, got ${V}.`,
    );
    prompt.dispose();
  });
});

test('the same seed writes the same text on every backend, and break leaves nothing there', async () => {
  const texts: Record<string, number[]> = {};
  for (const backend of BACKENDS) {
    await useBackend(backend);
    const model = localTransformer(UNBOUNDED);
    const before = living();
    texts[backend] = [];
    for await (const token of generate(model, PROMPT, {seed: 9, topK: 7, topP: 0.9})) {
      if (texts[backend].push(token) === 8) break;
    }
    expect(living()).toEqual(before);
    model.dispose();
  }
  for (const text of Object.values(texts)) expect(text).toEqual(texts[BACKENDS[0]]);
});

test('in a page, without setImmediate, others have their turn too', async () => {
  const {setImmediate} = globalThis;
  try {
    Object.assign(globalThis, {setImmediate: undefined});
    let turns = 0;
    setTimeout(() => turns++, 0);
    for (const begin = performance.now(); performance.now() < begin + 5000 && turns === 0;) {
      await othersFirst();
    }
    expect(turns).toBe(1);
  } finally {
    Object.assign(globalThis, {setImmediate});
  }
});

describe('it refuses at once, in words:', () => {
  let models: Record<string, tf.LayersModel>;
  beforeAll(async () => {
    await useBackend(BACKENDS[0]);
    models = {
      bounded: localTransformer(SMALL),
      encoder: localTransformer({...SMALL, numTokens: null, maxSeqLen: null}),
    };
  });
  afterAll(() => Object.values(models).forEach((model) => model.dispose()));

  test.each<[Prompt | unknown, object, string]>([
    [[], {}, 'promptIds must have at least one token, such as one that begins every text, got [].'],
    [new Int32Array(0), {}, 'promptIds must have at least one token'],
    ['abc', {}, "promptIds must be a list of token ids, or an int32 tensor of them, got 'abc'."],
    [[1, V], {}, `promptIds must be whole numbers from 0 to ${V - 1}, got ${V}.`],
    [[1, -1], {}, 'promptIds must be whole numbers from 0'],
    [[1, 1.5], {}, 'promptIds must be whole numbers from 0'],
    [new Array(41).fill(1), {}, 'must fit into maxSeqLen 40, but for the last token (absolutePositions: false takes any number), got 41 tokens.'], // prettier-ignore
    [PROMPT, {maxTokens: 37}, 'got 5 tokens and maxTokens 37.'],
    [PROMPT, {maxTokens: -1}, 'maxTokens must be a whole number from 0'],
    [PROMPT, {maxTokens: 1e9}, 'maxTokens must be a whole number from 0 to 16777216'],
    [PROMPT, {max_tokens: 3}, "unknown option 'max_tokens' (did you mean 'maxTokens'?)"],
    [PROMPT, {topP: 2}, 'topP must be a finite number'],
    [PROMPT, {stop: 1.5}, 'stop must be a token, a list of tokens, or a function of one, got 1.5.'],
    [PROMPT, {stop: 'end'}, 'stop must be a token'],
    [PROMPT, {stop: [1, 'end']}, 'stop must be a token'],
    [PROMPT, {signal: {}}, 'signal must be an AbortSignal'],
  ])('%j %j', (prompt, options, sentence) => {
    const before = living();
    expect(() => generate(models.bounded, prompt as Prompt, options)).toThrow(sentence);
    expect(() => generate(models.bounded, prompt as Prompt, options)).toThrow('[generate] ');
    expect(living()).toEqual(before);
  });

  test('prompts of the wrong shape or dtype, and a model without tokens', () => {
    const bad = [tf.zeros([2, 3], 'int32'), tf.zeros([1, 3]), tf.zeros([1, 0], 'int32')];
    const sentences = [
      'promptIds must be of one text, [p] or [1, p], got an int32 tensor of shape [2, 3].',
      'promptIds must be int32',
      'promptIds must have at least one token',
    ];
    bad.forEach((prompt, i) =>
      expect(() => generate(models.bounded, prompt)).toThrow(sentences[i]),
    );
    tf.dispose(bad);
    expect(() => generate(models.encoder, PROMPT)).toThrow(
      '[generate] model must have numTokens; createStream is for encoders.',
    );
  });

  test.each<[string, Partial<LocalTransformerArgs>, string]>([
    ['that sees what comes after a token', {causal: false}, 'decoding needs causal: true'],
    ['with a layer of the user', {insertLayers: {2: tf.layers.dropout({rate: 0})}}, 'model must have no insertLayers'], // prettier-ignore
  ])('a model %s, at once', (_, args, sentence) => {
    const model = localTransformer({...SMALL, ...args});
    expect(() => generate(model, PROMPT)).toThrow(`[generate] ${sentence}`);
    model.dispose();
  });

  test('a stop function that answers neither true nor false', async () => {
    const stop = (() => 'yes') as unknown as () => boolean;
    await expect(collect(generate(models.bounded, PROMPT, {stop}))).rejects.toThrow(
      "[generate] stop must answer true or false, got 'yes'.",
    );
  });
});
