/** The PyTorch original's LocalTransformer: its numbers and gradients -> localTransformer's. */
import * as tf from '@tensorflow/tfjs';

import {Implementation, LocalTransformerArgs, localTransformer} from '../../src';
import {boolTensor, expectClose, living, tensor} from '../support/close';
import {
  FixtureTensor,
  LocalTransformerFixture,
  localTransformerFixtures,
} from '../support/fixtures';
import {QUICK, sampledOnGpu, useAnyBuild, useImplementation} from '../support/implementations';
import {asKept, parametersByTorchName, writeStateDict} from '../support/state_dict';
import {Sizes, gradientTolerance, largest, outputTolerance} from '../support/tolerance';

describe.each(QUICK)('%s', (name, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);

  const worst = {cases: 0, output: 0, loss: 0, gradient: 0};
  afterAll(() => {
    const {cases, output, loss, gradient} = worst;
    const [out, ofLoss, grad] = [output, loss, gradient].map((error) => error.toExponential(1));
    const errors = `largest error ${out}, of losses ${ofLoss}, of gradients ${grad}`;
    console.log(`${name}: ${cases} PyTorch transformers, ${errors}`);
  });

  test.each(sampledOnGpu(one, localTransformerFixtures()).map((c) => [c.name, c] as const))(
    'localTransformer gives the original’s logits, loss and gradients: %s',
    async (_, c) => {
      const before = living();
      const model = build(c, one.implementation);
      const [input, mask] = [inputOf(c), c.mask ? boolTensor(c.mask) : null];
      const forward = (x: tf.Tensor) => model.apply(x, mask ? {mask} : {}) as tf.Tensor;

      const output = forward(input);
      const {value: loss, grads} = tf.variableGrads(() => lossOf(c, forward(input)));
      const dx = c.dx && tf.grad((x) => lossOf(c, forward(x)))(input);

      const tolerance = outputTolerance(sizesOf(c));
      const most = (kind: 'output' | 'loss' | 'gradient', error: number) =>
        (worst[kind] = Math.max(worst[kind], error));
      most('output', await expectClose('output', output, c.output, tolerance));
      most('loss', await expectClose('loss', loss, c.loss, tolerance));
      for (const [name, got, want, scale] of gradientsOf(model, grads, c)) {
        const allowed = gradientTolerance(sizesOf(c)) * scale;
        most('gradient', (await expectClose(name, got, want, allowed)) / scale);
        got.dispose();
      }
      if (dx) most('gradient', await expectClose('dx', dx, c.dx!, gradientTolerance(sizesOf(c))));
      if (c.mask && c.config.ignoreIndex === 0) await expectSameByMaskZero(c, one.implementation);
      worst.cases++;
      tf.dispose([input, output, loss, grads, ...(mask ? [mask] : []), ...(dx ? [dx] : [])]);
      model.dispose();
      expect(living()).toEqual(before);
    },
  );
});

/** maskZero hides the tokens that the mask of the fixture hides. */
async function expectSameByMaskZero(c: LocalTransformerFixture, implementation: Implementation) {
  const model = build({...c, config: {...c.config, maskZero: true} as never}, implementation);
  const input = inputOf(c);
  const output = model.apply(input) as tf.Tensor;
  await expectClose('output with maskZero', output, c.output, outputTolerance(sizesOf(c)));
  tf.dispose([input, output]);
  model.dispose();
}

/** Name, gradient, what it shall be, and by how much more it may be off, as a part of its own size. */
function* gradientsOf(
  model: tf.LayersModel,
  grads: tf.NamedTensorMap,
  {gradients}: LocalTransformerFixture,
): Generator<[string, tf.Tensor, FixtureTensor, number]> {
  const parameters = parametersByTorchName(model);
  expect(Object.keys(grads)).toHaveLength(parameters.size);
  for (const [name, want] of Object.entries(gradients)) {
    const parameter = parameters.get(name)!;
    const got = asKept(grads[parameter.variable.name], parameter);
    if ('rows' in want) {
      yield [`rows of ${name}`, got.rows(), want.rows, 1];
      yield [`columns of ${name}`, got.columns(), want.columns, 1];
    } else {
      yield [name, got.whole(), want, cancelled(name, want, gradients)];
    }
  }
}

/**
 * The gradient of a dynamic scale is a sum over all tokens of those of alpha, or beta, times a number
 * of either sign, and may be small by chance; those of the static ones are such sums without it.
 */
function cancelled(
  name: string,
  want: FixtureTensor,
  gradients: LocalTransformerFixture['gradients'],
): number {
  if (!/dynamic_(alpha|beta)_scale$/.test(name)) return 1;
  const of = gradients[name.replace(/dynamic_(alpha|beta)_scale$/, 'static_$1')];
  const terms = largest('rows' in of ? of.rows.data : of.data);
  return Math.max(1, terms / largest(want.data));
}

/** torch.nn.Linear(D, D); tf.layers.dense runs _FusedMatMul, which on tensorflow leaks a data id. */
class Linear extends tf.layers.Layer {
  static className = 'LinearOfTheOriginal';

  override build(shape: tf.Shape | tf.Shape[]) {
    const dim = (shape as number[])[2];
    const zeros = tf.initializers.zeros() as never;
    this.addWeight('kernel', [dim, dim], 'float32', zeros);
    this.addWeight('bias', [dim], 'float32', zeros);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]) {
    const [x] = Array.isArray(inputs) ? inputs : [inputs];
    const [kernel, bias] = this.weights.map((weight) => weight.read());
    return tf.tidy(() => {
      const rows = tf.reshape(x, [-1, x.shape[2]!]);
      return tf.reshape(tf.add(tf.matMul(rows, kernel), bias), x.shape);
    });
  }
}

function build({config, weights}: LocalTransformerFixture, implementation: Implementation) {
  const {insertLayers = [], ...options} = config;
  const inserted = insertLayers.map((at) => [at, new Linear({})]);
  const model = localTransformer({
    ...(options as LocalTransformerArgs),
    insertLayers: Object.fromEntries(inserted),
    implementation,
  });
  writeStateDict(model, weights);
  return model;
}

/** ids without their last column, or vectors. */
function inputOf({ids, x}: LocalTransformerFixture): tf.Tensor {
  return ids ? columnsOf(ids, 0) : tensor(x!);
}

function columnsOf({shape: [batch, columns], data}: FixtureTensor, from: 0 | 1): tf.Tensor {
  const kept = data.filter((_, at) => at % columns >= from && at % columns < columns - 1 + from);
  return tf.tensor(kept, [batch, columns - 1], 'int32');
}

function lossOf({ids, dout, config}: LocalTransformerFixture, output: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    if (!ids) return tf.sum(tf.mul(output, tensor(dout!))) as tf.Scalar;
    const labels = columnsOf(ids, 1);
    const counted = tf.cast(tf.notEqual(labels, config.ignoreIndex ?? -1), 'float32');
    const right = tf.mul(tf.logSoftmax(output), tf.oneHot(labels, config.numTokens!));
    return tf.neg(tf.div(tf.sum(tf.mul(tf.sum(right, -1), counted)), tf.sum(counted))) as tf.Scalar;
  });
}

// scores are products of a norm's answers, projected, as in oracle/pytorch.test.ts; of all the sums on
// the way through a block those of the hidden values and of the heads are the longest
function sizesOf({config, weights}: LocalTransformerFixture): Sizes {
  const {dim, dimHead = 64, heads = 8, localAttnWindowSize, lookBackward = 1} = config;
  const {causal = true, lookForward = causal ? 0 : 1, qkRmsnorm, qkScale = 8, depth} = config;
  const most = (name: string) =>
    Math.max(
      ...Object.entries(weights)
        .filter(([full]) => full.endsWith(`branch.${name}`))
        .map(([, {data}]) => largest(data)),
    );
  const hidden = weights['layers.0.1.branch.4.weight'].shape[1];
  const projected =
    Math.sqrt(dim) * most('norm.weight') * Math.sqrt(dim * dimHead) * most('to_qkv.weight');
  const products = qkRmsnorm
    ? qkScale * most('q_scale') * most('k_scale')
    : dimHead ** -0.5 * projected * (config.sharedQk ? 1 : projected);
  return {
    d: depth * (dim + dimHead * heads + hidden),
    context: (1 + lookBackward + lookForward) * localAttnWindowSize,
    largestScore: products,
  };
}
