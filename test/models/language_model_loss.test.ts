/** The loss of a language model, against loops in float64; and as the loss of model.fit. */
import * as tf from '@tensorflow/tfjs';

import {layers, localTransformer, registerFasterKernels} from '../../src';
import {languageModelLoss} from '../../src/nn/language_model_loss';
import {BACKENDS, useBackend} from '../support/backends';
import {expectClose, living, tensor} from '../support/close';
import {generator, uniform} from '../support/inputs';
import type {Values} from '../support/naive';
import {EPSILON} from '../support/tolerance';

const [B, N, V] = [3, 5, 7];
const IDS = [[1, 6, 0, -1, 3], [5, 5, -1, 2, 4], [0, 3, 6, 6, -1]]; // prettier-ignore

interface Logits extends Values {
  data: Float64Array;
}

interface Case {
  name: string;
  logits: Logits;
  ids: number[][];
  ignoreIndex?: number;
}

function random(amplitude: number, shape = [B, N, V]): Logits {
  return uniform(generator(11), shape, amplitude) as Logits;
}

/** The likeliest token of each row is far ahead, and no label: all of the loss is the distance. */
const CASES: Case[] = [
  {name: 'logits within ±3', logits: random(3), ids: IDS},
  {name: 'all labels count', logits: random(3), ids: IDS.map((row) => row.map(Math.abs))},
  {name: 'an ignoreIndex that is a token', logits: random(3), ids: IDS.map((row) => row.map(Math.abs)), ignoreIndex: 6}, // prettier-ignore
  {name: 'an ignoreIndex far away', logits: random(3), ids: IDS.map((row) => row.map((id) => (id < 0 ? -100 : id))), ignoreIndex: -100}, // prettier-ignore
  {name: 'logits within ±1e4', logits: random(1e4), ids: IDS},
  {name: 'logits within ±1e9', logits: random(1e9), ids: IDS},
  {name: 'two tokens', logits: random(3, [1, 2, 2]), ids: [[0, 1]]},
  {name: 'one token, of which one is sure', logits: random(3, [2, 3, 1]), ids: [[0, 0, 0], [0, 0, 0]]}, // prettier-ignore
];

/** The mean cross entropy of the next tokens, by its definition. */
function naiveLoss({shape, data}: Logits, ids: number[][], ignoreIndex = -1): number {
  const [, , numTokens] = shape;
  let [sum, count] = [0, 0];
  eachLabel(ids, ignoreIndex, (label, at) => {
    const row = Array.from(data.slice(at * numTokens, (at + 1) * numTokens));
    const most = Math.max(...row);
    const total = row.reduce((all, x) => all + Math.exp(x - most), 0);
    sum += Math.log(total) + most - row[label];
    count++;
  });
  return sum / count;
}

/** By the same definition, for labels that are not all ignored. */
function naiveGradient({shape, data}: Logits, ids: number[][], ignoreIndex = -1): Logits {
  const [, , numTokens] = shape;
  const grad = new Float64Array(data.length);
  let count = 0;
  eachLabel(ids, ignoreIndex, () => count++);
  eachLabel(ids, ignoreIndex, (label, at) => {
    const row = Array.from(data.slice(at * numTokens, (at + 1) * numTokens));
    const most = Math.max(...row);
    const total = row.reduce((all, x) => all + Math.exp(x - most), 0);
    row.forEach((x, v) => {
      grad[at * numTokens + v] = (Math.exp(x - most) / total - +(v === label)) / count;
    });
  });
  return {shape, data: grad};
}

function eachLabel(ids: number[][], ignore: number, see: (label: number, at: number) => void) {
  ids.forEach((row, b) => {
    for (let i = 0; i + 1 < row.length; i++) {
      if (row[i + 1] !== ignore) see(row[i + 1], b * row.length + i);
    }
  });
}

/** Central differences of a function of the values. */
function differences(of: (x: Logits) => number, {shape, data}: Logits, step: number): Logits {
  const slopes = Float64Array.from(data, (_, at) => {
    const moved = [1, -1].map((sign) =>
      of({shape, data: Float64Array.from(data, (x, i) => (i === at ? x + sign * step : x))}),
    );
    return (moved[0] - moved[1]) / (2 * step);
  });
  return {shape, data: slopes};
}

const idsOf = (ids: number[][], dtype: 'int32' | 'float32' = 'int32') => tf.tensor2d(ids, [ids.length, ids[0].length], dtype); // prettier-ignore
const scalarOf = (x: number): Values => ({shape: [], data: Float64Array.of(x)});

test('the reference gradient is that of the reference', () => {
  const {logits, ids} = CASES[0];
  const slopes = differences((x) => naiveLoss(x, ids), logits, 1e-4);
  const {data} = naiveGradient(logits, ids);
  slopes.data.forEach((slope, i) => expect(Math.abs(slope - data[i])).toBeLessThan(1e-9));
});

describe.each(BACKENDS)('%s:', (backend) => {
  beforeAll(() => useBackend(backend));
  let before: ReturnType<typeof living>;
  beforeEach(() => void (before = living()));
  afterEach(() => expect(living()).toEqual(before));

  test.each(CASES.map((c) => [c.name, c] as const))(
    'loss and gradient are those of the loops: %s',
    async (_, {logits, ids, ignoreIndex}) => {
      const [x, labels] = [tensor(logits), idsOf(ids)];
      const loss = languageModelLoss(x, labels, {ignoreIndex});
      const grad = tf.grad((x) => languageModelLoss(x, labels, {ignoreIndex}))(x);
      expect(loss.shape).toEqual([]);
      await expectClose('loss', loss, scalarOf(naiveLoss(logits, ids, ignoreIndex)), 8 * EPSILON);
      await expectClose('gradient', grad, naiveGradient(logits, ids, ignoreIndex), 16 * EPSILON);
      tf.dispose([x, labels, loss, grad]);
    },
  );

  test('the gradient is multiplied by that of what is made of the loss', async () => {
    const {logits, ids} = CASES[0];
    const [x, labels] = [tensor(logits), idsOf(ids)];
    const grad = tf.grad((x) => tf.square(languageModelLoss(x, labels)))(x);
    const once = naiveGradient(logits, ids);
    const factor = 2 * naiveLoss(logits, ids);
    const want = {...once, data: Float64Array.from(once.data, (slope) => factor * slope)};
    await expectClose('gradient', grad, want, 16 * EPSILON);
    tf.dispose([x, labels, grad]);
  });

  test('the gradient of a penalty on the gradient is right', async () => {
    const {logits, ids} = CASES[0];
    const [x, labels] = [tensor(logits), idsOf(ids)];
    const penalty = (x: tf.Tensor) =>
      tf.sum(tf.square(tf.grad((x: tf.Tensor) => languageModelLoss(x, labels))(x))) as tf.Scalar;
    const got = tf.grad(penalty)(x);
    const of = (x: Logits) => naiveGradient(x, ids).data.reduce((sum, g) => sum + g * g, 0);
    await expectClose('second gradient', got, differences(of, logits, 1e-4), 1e-5);
    tf.dispose([x, labels, got]);
  });

  test('the labels may come first, as model.compile gives them, and be float32', async () => {
    const {logits, ids} = CASES[0];
    const x = tensor(logits);
    const values = [];
    for (const labels of [idsOf(ids), idsOf(ids, 'float32')]) {
      for (const pair of [
        [x, labels],
        [labels, x],
      ]) {
        // prettier-ignore
        const loss = languageModelLoss(pair[0], pair[1]);
        values.push((await loss.data())[0]);
        loss.dispose();
      }
      labels.dispose();
    }
    expect(new Set(values).size).toBe(1);
    x.dispose();
  });

  test.each([
    ['all labels are ignored', [B, N, V], new Array(B).fill(new Array(N).fill(-1))],
    ['one token, which has no next', [B, 1, V], [[1], [2], [3]]],
  ])('the loss is NaN and the gradient zero where %s', async (_, shape, ids) => {
    const [x, labels] = [tensor(random(3, shape)), idsOf(ids)];
    const loss = languageModelLoss(x, labels);
    const grad = tf.grad((x) => languageModelLoss(x, labels))(x);
    expect((await loss.data())[0]).toBeNaN();
    expect([...new Set(Array.from(await grad.data(), Math.abs))]).toEqual([0]);
    tf.dispose([x, labels, loss, grad]);
  });

  test.each([[[2, 0, V]], [[0, 3, V]]])('no tokens at all, %p: NaN', async (shape) => {
    const x = tf.zeros(shape);
    const labels = tf.zeros(shape.slice(0, 2), 'int32');
    const loss = languageModelLoss(x, labels);
    const grad = tf.grad((x) => languageModelLoss(x, labels))(x);
    expect((await loss.data())[0]).toBeNaN();
    expect(grad.shape).toEqual(shape);
    tf.dispose([x, labels, loss, grad]);
  });

  test.each([V, -2])('a label that is no token, %d, makes the loss NaN', async (label) => {
    const x = tensor(random(3));
    const ids = IDS.map((row) => [...row]);
    ids[1][1] = label;
    const labels = idsOf(ids);
    const loss = languageModelLoss(x, labels);
    expect((await loss.data())[0]).toBeNaN();
    tf.dispose([x, labels, loss]);
  });

  test('tokens that are forbidden by logits of -∞ count for nothing', async () => {
    const {logits, ids} = CASES[0];
    const data = Float64Array.from(logits.data, (x, at) => (at % V === 1 ? -Infinity : x));
    const [x, labels] = [tensor({...logits, data}), idsOf(ids)];
    const loss = languageModelLoss(x, labels);
    await expectClose('loss', loss, scalarOf(naiveLoss({...logits, data}, ids)), 8 * EPSILON);
    tf.dispose([x, labels, loss]);
  });
});

describe.each(BACKENDS)('%s, in a model:', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
    registerFasterKernels();
  });

  const make = () =>
    localTransformer({
      ...{numTokens: V, maxSeqLen: N, dim: 6, depth: 1, heads: 2, dimHead: 4},
      ...{localAttnWindowSize: 3, seed: 5},
    });
  const ids = () => tf.tensor2d([[1, 2, 3, 4, 5], [6, 5, 4, 3, 2], [0, 1, 0, 1, 0]], [B, N], 'int32'); // prettier-ignore

  test('nothing new is kept between the forward pass and the gradient: logits and ids are enough', () => {
    const [x, labels] = [tf.zeros([B, N, V]), ids()];
    let kept = 0;
    const grad = tf.grad((x) => {
      const before = living().dataIds;
      const loss = languageModelLoss(x, labels);
      kept = living().dataIds - before;
      return loss;
    })(x);
    // the loss itself; on tensorflow a clone is data of its own
    expect(kept).toBeLessThanOrEqual(backend === 'tensorflow' ? 3 : 1);
    tf.dispose([x, labels, grad]);
  });

  test('fit, trainOnBatch and evaluate take the ids as targets, int32 or float32', async () => {
    const model = make();
    const x = ids();
    const y = tf.cast(x, 'float32');
    const by = languageModelLoss(model.predict(x) as tf.Tensor, x);
    model.compile({optimizer: tf.train.sgd(0.1), loss: languageModelLoss});
    const evaluated = model.evaluate(x, y) as tf.Scalar;
    expect((await evaluated.data())[0]).toBeCloseTo((await by.data())[0], 5);
    const {history} = await model.fit(x, y, {epochs: 4, verbose: 0, batchSize: 2});
    const losses = history.loss as number[];
    expect(losses[3]).toBeLessThan(losses[0]);
    expect(await model.trainOnBatch(x, x)).toBeLessThan(losses[0]);
    tf.dispose([x, y, by, evaluated]);
    model.dispose();
  });

  test('in a list or by the name of the output it is the same loss', async () => {
    const model = make();
    const x = ids();
    const losses = [];
    for (const loss of [[languageModelLoss], {[model.outputNames[0]]: languageModelLoss}]) {
      model.compile({optimizer: tf.train.sgd(0), loss: loss as never});
      losses.push(await model.trainOnBatch(x, x));
    }
    const by = languageModelLoss(model.predict(x) as tf.Tensor, x);
    for (const loss of losses) expect(loss).toBeCloseTo((await by.data())[0], 5);
    tf.dispose([x, by]);
    model.dispose();
  });

  test('so does a model that tf.loadLayersModel has read, and one of layers by hand in minimize', async () => {
    const model = make();
    let saved: tf.io.ModelArtifacts | undefined;
    const handler = tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return {modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts)};
    });
    await model.save(handler);
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(saved!));
    const x = ids();
    const losses = [];
    for (const one of [model, loaded]) {
      one.compile({optimizer: tf.train.sgd(0.1), loss: languageModelLoss});
      losses.push(await one.trainOnBatch(x, x));
    }
    expect(losses[1]).toBe(losses[0]);

    const input = tf.input({shape: [null], dtype: 'int32'});
    const tokens = layers.tokenEmbedding({numTokens: V, dim: 6}).apply(input);
    const logits = layers.tokenLogits({dim: 6, numTokens: V}).apply(tokens) as tf.SymbolicTensor;
    const byHand = tf.model({inputs: input, outputs: logits});
    const loss = () => languageModelLoss(byHand.apply(x) as tf.Tensor, x);
    const steps = Array.from({length: 5}, () => tf.train.sgd(1).minimize(loss, true)!);
    const values = await Promise.all(steps.map(async (loss) => (await loss.data())[0]));
    expect(values[4]).toBeLessThan(values[0]);
    tf.dispose([x, steps]);
    for (const one of [model, loaded, byHand]) one.dispose();
  });

  test('targets of the shape of the output still train by a loss of the user, and are checked by a named one', async () => {
    const model = make();
    const [x, y] = [ids(), tf.zeros([B, N, V])];
    model.compile({optimizer: 'sgd', loss: (y, x) => tf.losses.meanSquaredError(y, x)});
    expect(await model.trainOnBatch(x, y)).toBeGreaterThan(0);
    model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
    await expect(model.trainOnBatch(x, x)).rejects.toThrow('3 dimension(s)');
    tf.dispose([x, y]);
    model.dispose();
  });
});

describe('it refuses, in words:', () => {
  beforeAll(() => useBackend(BACKENDS[0]));

  test.each([
    [() => [tf.zeros([2, 3, 4]), tf.zeros([2, 4], 'int32')], 'ids must have the shape [B, n] of the logits, [2, 3], got an int32 tensor of shape [2, 4]'], // prettier-ignore
    [() => [tf.zeros([2, 3]), tf.zeros([2, 3], 'int32')], 'logits must have the shape [B, n, V]'],
    [() => [tf.zeros([2, 3, 4], 'int32'), tf.zeros([2, 3], 'int32')], 'logits must be float32'],
    [() => [tf.zeros([2, 3, 4]), tf.zeros([2, 3], 'bool')], 'ids must be int32 (or float32'],
    [() => [tf.zeros([2, 3, 4]), [[1, 2, 3]]], 'ids must be a tf.Tensor of int32, got [[1, 2, 3]]'],
    [() => [null, tf.zeros([2, 3], 'int32')], 'logits must be a tf.Tensor of float32, got null'],
    [() => [tf.zeros([2, 3, 4]), tf.zeros([2, 3], 'int32'), {ignoreindex: 0}], "unknown option 'ignoreindex' (did you mean 'ignoreIndex'?)"], // prettier-ignore
    [() => [tf.zeros([2, 3, 4]), tf.zeros([2, 3], 'int32'), {ignoreIndex: 0.5}], 'ignoreIndex must be a whole number, got 0.5'], // prettier-ignore
    [() => [tf.zeros([2, 3, 4]), tf.zeros([2, 3], 'int32'), {ignoreIndex: 2 ** 31}], 'ignoreIndex must be a whole number of int32, got 2147483648'], // prettier-ignore
  ])('%#', (args, sentence) => {
    const before = living();
    const given = args() as [tf.Tensor, tf.Tensor];
    const made = living();
    expect(() => languageModelLoss(...given)).toThrow(`[languageModelLoss] ${sentence}`);
    expect(living()).toEqual(made);
    tf.dispose(given as never);
    expect(living()).toEqual(before);
  });
});
