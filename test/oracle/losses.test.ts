/** Twenty steps of SGD: the PyTorch original's losses in float64 -> localTransformer's. */
import * as tf from '@tensorflow/tfjs';

import {
  LocalTransformerArgs,
  languageModelLoss,
  localTransformer,
  registerFasterKernels,
} from '../../src';
import {BACKENDS, useBackend} from '../support/backends';
import {living} from '../support/close';
import {LossesFixture, lossesFixtures} from '../support/fixtures';
import {parametersByTorchName, writeStateDict} from '../support/state_dict';
import {LOSS_OF_STEPS} from '../support/tolerance';

/** x ← 48271 x mod 2³¹ − 1, as scripts/make_losses.py has it. */
function lehmer(seed: number): (limit: number) => number {
  let x = seed;
  return (limit) => {
    x = (x * 48271) % 2147483647;
    return x % limit;
  };
}

/** What scripts/make_losses.py fills the original with. */
function fill(below: (limit: number) => number, model: tf.LayersModel) {
  const shapes = [...parametersByTorchName(model)].map(([name, {variable, transposed}]) => {
    const shape = variable.shape as number[];
    return [name, transposed ? [...shape].reverse() : shape] as const;
  });
  const weights = shapes
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, shape]) => {
      const steps = Math.floor(4096 * limitOf(name, shape));
      const draw = (at: number) =>
        (below(2 * steps + 1) - steps) / 4096 + centerOf(name, shape, at);
      const data = Array.from({length: tf.util.sizeFromShape(shape)}, (_, at) => draw(at));
      return [name, {shape, data}];
    });
  writeStateDict(model, Object.fromEntries(weights));
}

function limitOf(name: string, shape: number[]): number {
  if (/_alpha|_beta/.test(name)) return 1 / 8;
  if (name.includes('_emb')) return 1;
  return shape.length === 2 ? 1 / Math.sqrt(shape[1]) : 1 / 4;
}

function centerOf(name: string, shape: number[], at: number): number {
  if (name.endsWith('static_alpha')) {
    const [stream, input] = [Math.floor(at / shape[1]), at % shape[1]];
    return input === stream + 1 || at === 0 ? 1 : 0;
  }
  return shape.length === 1 && /(weight|[qk]_scale|static_beta)$/.test(name) ? 1 : 0;
}

/** The loss before each step. */
async function train(c: LossesFixture): Promise<number[]> {
  const model = localTransformer(c.config as LocalTransformerArgs);
  const below = lehmer(c.seed);
  fill(below, model);
  const optimizer = tf.train.sgd(c.learningRate);
  const {ignoreIndex, numTokens} = c.config;
  const losses: number[] = [];
  for (let step = 0; step < c.losses.data.length; step++) {
    const shape: [number, number] = [c.batch, c.tokens + 1];
    const drawn = Array.from({length: c.batch * (c.tokens + 1)}, () => below(numTokens!));
    const ids = tf.tensor2d(drawn, shape, 'int32');
    const loss = optimizer.minimize(
      () => languageModelLoss(model.apply(ids) as tf.Tensor, ids, {ignoreIndex}),
      true,
    )!;
    losses.push((await loss.data())[0]);
    tf.dispose([ids, loss]);
  }
  optimizer.dispose();
  model.dispose();
  return losses;
}

jest.setTimeout(120_000); // twenty steps, on a GPU that is a program

/** A GPU compiles for each size anew. */
const casesOf = (backend: string) =>
  lossesFixtures().slice(0, backend === 'webgpu' ? 1 : undefined);

describe.each(BACKENDS)('%s:', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
    registerFasterKernels();
  });
  let worst = 0;
  afterAll(() => console.log(`${backend}: losses of 20 steps, largest error ${worst.toExponential(1)}`)); // prettier-ignore

  test.each(casesOf(backend))(
    'twenty steps of SGD have the losses of PyTorch in float64: $name',
    async (c) => {
      const before = living();
      const losses = await train(c);
      const errors = losses.map((loss, step) => Math.abs(loss / c.losses.data[step] - 1));
      expect(Math.max(...errors)).toBeLessThan(LOSS_OF_STEPS);
      worst = Math.max(worst, ...errors);
      expect(living()).toEqual(before);
    },
  );
});
