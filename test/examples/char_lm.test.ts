import {spawn} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';

import {saveCheckpoint} from '../../src';
import {Alphabet, REST} from '../../examples/char_lm/alphabet';
import {novel} from '../../examples/char_lm/corpus';
import {modelBits, pairsIn, spread} from '../../examples/char_lm/evaluation';
import {notNegative, positive, wholeNumber} from '../../examples/char_lm/flags';
import {buildModel} from '../../examples/char_lm/model';
import {bigramBits, unigramBits, uniformBits} from '../../examples/char_lm/ngram';
import {randomNumbers} from '../../examples/char_lm/random';
import {checkPrompt, continueText, timed} from '../../examples/char_lm/sample';
import {normalise, split} from '../../examples/char_lm/split';
import {load, save} from '../../examples/char_lm/store';
import {train} from '../../examples/char_lm/training';

jest.setTimeout(60_000); // the commands are processes of their own

describe('alphabet', () => {
  test('decoding undoes encoding, beyond the basic plane too', () => {
    const alphabet = new Alphabet('ab 🐳');
    expect(alphabet.size).toBe(5);
    expect(alphabet.decode(alphabet.encode('a 🐳b'))).toBe('a 🐳b');
  });

  test('characters that are rare or unknown share one number', () => {
    const alphabet = Alphabet.of('bbbaaac', 2);
    expect(alphabet.characters).toBe('ab');
    expect([...alphabet.encode('cab?')]).toEqual([0, 1, 2, 0]);
    expect(alphabet.decode([0])).toBe(REST);
    expect(alphabet.missing('c?ca')).toEqual(['c', '?']);
  });
});

describe('corpus', () => {
  test('normalising keeps words and paragraphs, and drops other white space', () => {
    expect(normalise(' a\t b \r\n\r\n\r\n\nc\nd ')).toBe('a b\n\nc\nd');
  });

  test('the held-out text is the end, and neither trains nor adds to the alphabet', () => {
    const {alphabet, train, heldOut} = split('abababababababababxy', 0.1, 1);
    expect(alphabet.decode(train)).toBe('ababababababababab');
    expect(alphabet.characters).toBe('ab');
    expect([...heldOut]).toEqual([0, 0]);
  });

  test('the novel has its first and last words, and none of its end is in the training text', () => {
    const text = novel();
    expect(text).toContain('Call me Ishmael.');
    expect(text.endsWith('only found another orphan.')).toBe(true);
    const {alphabet, train, heldOut} = split(text);
    expect(alphabet.decode(train)).not.toContain(alphabet.decode(heldOut.slice(0, 60)));
    expect(train.length + heldOut.length).toBe(text.length);
  });
});

describe('n-grams', () => {
  const pairs = {previous: Int32Array.of(1, 2, 1), next: Int32Array.of(2, 1, 1)};

  test('uniform is log2 of the alphabet', () => {
    expect(uniformBits(8)).toBe(3);
  });

  test('unigram is the cross entropy under the counts plus one', () => {
    // of 3 + 3 counts: 0 has 1, 1 has 3, 2 has 2
    const expected = -(2 * Math.log2(3 / 6) + Math.log2(2 / 6)) / 3;
    expect(unigramBits(Int32Array.of(1, 1, 2), 3, pairs)).toBeCloseTo(expected, 12);
  });

  test('bigram is the cross entropy under the pair counts plus one', () => {
    // after 1: 1 once and 2 once, of 2 + 3; after 2: nothing, of 0 + 3
    const expected = -(Math.log2(2 / 5) + Math.log2(1 / 3) + Math.log2(2 / 5)) / 3;
    expect(bigramBits(Int32Array.of(1, 1, 2), 3, pairs)).toBeCloseTo(expected, 12);
  });

  test('bigram knows what unigram cannot: abababab', () => {
    const text = Int32Array.from({length: 1000}, (_, i) => 1 + (i % 2));
    const ends = {previous: text.subarray(0, 10), next: text.subarray(1, 11)};
    expect(unigramBits(text, 3, ends)).toBeGreaterThan(1);
    expect(bigramBits(text, 3, ends)).toBeLessThan(0.02);
  });
});

describe('held-out windows', () => {
  const text = Int32Array.from({length: 101}, (_, i) => i);

  test('each character is predicted at most once, from at least the context', () => {
    const windows = spread(text, 20, 5, 1000);
    const {previous, next} = pairsIn(text, windows);
    expect(windows.starts[0]).toBe(0);
    expect(Math.max(...next)).toBe(100);
    expect(Math.min(...previous)).toBe(5);
    expect(new Set(next).size).toBe(next.length);
    expect([...next].every((id, i) => id === previous[i] + 1)).toBe(true);
  });

  test('fewer windows reach from the beginning to the end as well', () => {
    expect(spread(text, 20, 5, 3).starts).toEqual([0, 40, 80]);
  });
});

describe('sampling', () => {
  test('the numbers are uniform and depend on the seed alone', () => {
    const [one, same, other] = [randomNumbers(1), randomNumbers(1), randomNumbers(2)];
    const drawn = Array.from({length: 4000}, one);
    expect(drawn).toEqual(Array.from({length: 4000}, same));
    expect(drawn[0]).not.toBe(other());
    const mean = drawn.reduce((sum, x) => sum + x) / drawn.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / drawn.length));
  });

  test('a text comes character by character, and the same for the same seed', async () => {
    await tf.setBackend('cpu');
    const alphabet = new Alphabet('ab🐳');
    const model = buildModel(4, {dim: 8, heads: 2, depth: 1, window: 3, seed: 1});
    const write = (seed: number) => {
      const parts: string[] = [];
      const text = continueText({model, alphabet}, 'ab', {characters: 30, temperature: 1, seed});
      return timed(text, (part) => parts.push(part)).then((written) => ({...written, parts}));
    };
    const {text, parts, perSecond} = await write(1);
    expect(parts).toHaveLength(30);
    expect(parts.join('')).toBe(text);
    expect(perSecond).toBeGreaterThan(0);
    expect((await write(1)).text).toBe(text);
    expect((await write(2)).text).not.toBe(text);
    model.dispose();
  });

  test('a prompt must have characters, and only such as the model knows', () => {
    const alphabet = new Alphabet('ab');
    expect(() => checkPrompt('abba', alphabet)).not.toThrow();
    expect(() => checkPrompt('', alphabet)).toThrow('at least one character');
    expect(() => checkPrompt('añb"', alphabet)).toThrow('"ñ", "\\""');
  });
});

describe('model', () => {
  const shape = {dim: 8, heads: 2, depth: 2, window: 3, seed: 1};
  const plan = {steps: 6, seconds: 1e3, batch: 2, length: 8, rate: 2e-2, seed: 1};
  const text = Int32Array.from({length: 500}, (_, i) => i % 5);

  beforeAll(() => tf.setBackend('cpu'));

  /** The training loss and the number of tensors after each step. */
  async function trace(changes: Partial<typeof plan> = {}) {
    const model = buildModel(5, {...shape, depth: 1, ...changes});
    const bits: number[] = [];
    const tensors: number[] = [];
    await train(model, text, {...plan, ...changes}, new AbortController().signal, (progress) => {
      bits.push(progress.bits);
      tensors.push(tf.memory().numTensors);
    });
    model.dispose();
    return {bits, tensors};
  }

  test('a step leaves no tensors behind', async () => {
    const {tensors} = await trace();
    expect(tensors).toHaveLength(plan.steps);
    expect(new Set(tensors.slice(1)).size).toBe(1);
  });

  test('the same seed gives the same losses, and another seed others', async () => {
    const {bits} = await trace();
    expect((await trace()).bits).toEqual(bits);
    expect((await trace({seed: 7})).bits).not.toEqual(bits);
  });

  test('a text that counts in a circle is learned', async () => {
    const {bits} = await trace({steps: 50});
    expect(bits[0]).toBeGreaterThan(2);
    expect(bits.at(-1)).toBeLessThan(1);
  });

  test('bits per character are those of the logits, after the context, over all windows', async () => {
    const model = buildModel(5, shape);
    const windows = {starts: [0, 7, 30, 31, 50, 77, 80, 90, 101], length: 9, context: 4};
    const bits = await modelBits(model, text, windows);
    let [sum, count] = [0, 0];
    for (const start of windows.starts) {
      const ids = text.slice(start, start + 9);
      const probabilities = tf.tidy(() => {
        const logits = model.predict(tf.tensor2d(ids, [1, 9], 'int32')) as tf.Tensor3D;
        return tf.softmax(logits).arraySync()[0];
      });
      for (let i = 4; i < 9; i++, count++) sum -= Math.log2(probabilities[i][text[start + i + 1]]);
    }
    expect(bits).toBeCloseTo(sum / count, 5);
    model.dispose();
  });

  test('it writes on beyond the length that it is trained on', async () => {
    const model = buildModel(5, shape);
    const alphabet = new Alphabet('abcd');
    const {text} = await timed(continueText({model, alphabet}, 'a', {characters: 200, temperature: 1, seed: 1})); // prettier-ignore
    expect(text).toHaveLength(200);
    model.dispose();
  });
});

describe('store', () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'char_lm-store-'));
  afterAll(() => fs.rmSync(directory, {recursive: true}));

  beforeAll(async () => {
    await tf.setBackend('cpu');
    const model = buildModel(3, {dim: 4, heads: 1, depth: 1, window: 2, seed: 1});
    await save({model, alphabet: new Alphabet('ab')}, directory);
  });

  /** Loads after the metadata of what was saved have been changed. */
  async function loadWith(changes: object | null) {
    const file = path.join(directory, 'model.json');
    const saved = fs.readFileSync(file, 'utf8');
    const json = JSON.parse(saved);
    json.userDefinedMetadata = changes && {...json.userDefinedMetadata, ...changes};
    fs.writeFileSync(file, JSON.stringify(json));
    return load(directory).finally(() => fs.writeFileSync(file, saved));
  }

  test('what was saved comes back', async () => {
    const {alphabet} = await loadWith({});
    expect(alphabet.characters).toBe('ab');
  });

  test.each([
    [null, 'its alphabet must be a string, and is undefined'],
    [{alphabet: 5}, 'its alphabet must be a string, and is 5'],
    [{alphabet: 'abc'}, 'it knows 3 characters, and its alphabet has 4'],
  ])('metadata of %j are refused', async (changes, what) => {
    await expect(loadWith(changes)).rejects.toThrow(
      `${directory} holds a model, but not one that npm start made: ${what}.`,
    );
  });
});

describe('flags', () => {
  test.each(['', ' ', '1.5', '-1', '0', '1e3', 'x', '2147483648', '4294967296'])(
    '%p is no whole number that a flag may have',
    (text) =>
      expect(() => wholeNumber(1)(text)).toThrow('It must be a whole number from 1 to 2147483647.'),
  );

  test.each(['', '0', '-1', 'x', '1e999', '0x1', 'Infinity'])('%p is not positive', (text) =>
    expect(() => positive(text)).toThrow('It must be a number above 0.'),
  );

  test('numbers are read as they are written', () => {
    expect([wholeNumber(0)('0'), positive('1.5'), positive('3e-3'), notNegative('0')]).toEqual([
      0, 1.5, 0.003, 0,
    ]);
  });
});

describe('commands', () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'char_lm-'));
  afterAll(() => fs.rmSync(directory, {recursive: true}));

  const tiny =
    '--backend cpu --length 16 --batch 2 --dim 8 --heads 2 --depth 1 --window 4 --json'.split(' ');

  /** @param onErrors called with what stderr has so far */
  function run(script: string, flags: string[], onErrors?: (errors: string, pid: number) => void) {
    const root = path.join(__dirname, '../..');
    // not the command tsx, which kills a child that is too busy to answer Ctrl-C within 60 ms
    const node = ['--import', 'tsx', `examples/char_lm/${script}.ts`, ...flags];
    const child = spawn(process.execPath, node, {cwd: root});
    let output = '';
    let errors = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => {
      errors += text;
      onErrors?.(errors, child.pid!);
    });
    return new Promise<{status: number | null; output: string; errors: string}>((resolve) =>
      child.on('close', (status) => resolve({status, output, errors})),
    );
  }

  const lastLine = (output: string) => JSON.parse(output.trimEnd().split('\n').at(-1)!);

  test('training reports, saves, and another process continues a prompt', async () => {
    const out = path.join(directory, 'model');
    const {status, output} = await run('train', [...tiny, '--steps', '3', '--out', out]);
    expect(status).toBe(0);
    const report = lastLine(output);
    expect(report).toEqual({
      backend: 'cpu',
      seconds: expect.any(Number),
      steps: 3,
      bitsPerChar: {
        model: expect.any(Number),
        uniform: expect.any(Number),
        unigram: expect.any(Number),
        bigram: expect.any(Number),
      },
      savedTo: out,
      sample: expect.any(String),
    });
    const {model, uniform, unigram, bigram} = report.bitsPerChar;
    expect(bigram).toBeLessThan(unigram);
    expect(unigram).toBeLessThan(uniform);
    expect(model).toBeLessThan(uniform + 1);
    expect(output).toContain('before saving and after loading: 0\n');

    const flags = ['--model', out, '--prompt', 'C', '--characters', '20', '--backend', 'cpu'];
    const first = await run('generate', [...flags, '--json']);
    expect(first.status).toBe(0);
    const {prompt, continuation, seed, tokensPerSecond} = lastLine(first.output);
    expect(tokensPerSecond).toBeGreaterThan(0);
    expect(first.errors).toContain(`${Math.round(tokensPerSecond)} tokens a second\n`);
    expect(prompt).toBe('C');
    expect([...continuation]).toHaveLength(20);
    expect(first.output.startsWith('C' + continuation)).toBe(true);
    const again = await run('generate', [...flags, '--seed', `${seed}`]);
    expect(again.output).toBe(`C${continuation}\n`);

    const {model: other} = await load(out); // the same model with other weights
    other.setWeights(other.getWeights().map((weight) => tf.mul(weight, 2)));
    const file = path.join(directory, 'other.safetensors');
    fs.writeFileSync(file, await saveCheckpoint(other));
    const loaded = await run('generate', [...flags, '--seed', `${seed}`, '--checkpoint', file]);
    expect(loaded.status).toBe(0);
    expect(loaded.output).toMatch(/^C/);
    expect(loaded.output).not.toBe(again.output);
  });

  test('Ctrl-C saves what there is', async () => {
    const out = path.join(directory, 'interrupted');
    let sent = false;
    const interrupt = (errors: string, pid: number) => {
      if (!sent && errors.includes('training')) sent = process.kill(pid, 'SIGINT');
    };
    const {status, output} = await run('train', [...tiny, '--out', out], interrupt);
    expect(status).toBe(130);
    expect(lastLine(output)).toMatchObject({savedTo: out, bitsPerChar: {model: null}});
    expect(fs.readdirSync(out).sort()).toEqual(['model.json', 'weights.bin']);
  });

  test.each([
    ['train', ['--steps', '1.5'], "'--steps <n>' argument '1.5' is invalid. It must be a whole"],
    ['train', ['--seed', '4294967296'], 'a whole number from 0 to 2147483647'],
    ['train', ['--dim', '10', '--heads', '4'], '--dim must be a multiple of twice --heads'],
    ['train', ['--sted', '1'], "unknown option '--sted'"],
    ['generate', ['--prompt', 'a', '--model', os.tmpdir()], 'there is no model.json'],
    ['generate', ['--prompt', 'a', '--temperature', '-1'], 'It must be a number, 0 or above.'],
  ])('%s %p is an error in a sentence', async (script, flags, message) => {
    let errors = '';
    const {status} = await run(script, flags, (text) => (errors = text));
    expect(status).toBe(1);
    expect(errors).toContain(message);
  });
});
