/** LocalMHA -> the loops, at the lengths and options that the original's numbers do not cover. */
import * as tf from '@tensorflow/tfjs';

import {layers} from '../../src';
import {BACKENDS, useBackend} from '../support/backends';
import {boolTensor, expectClose, living, tensor} from '../support/close';
import {generator, uniform} from '../support/inputs';
import {NaiveMHAConfig, Values, naiveLocalMHA} from '../support/naive';
import {largest, largestProduct, outputTolerance} from '../support/tolerance';

interface MHACase {
  name: string;
  config: NaiveMHAConfig;
  n: number;
  mask?: 'random' | 'none' | 'rows of 1';
  biasHeads?: number;
}

const [BATCH, DIM] = [2, 5];
const SIZES = {dim: DIM, heads: 3, dimHead: 4};
const EVERYTHING = {
  ...{prenorm: true, qkRmsnorm: true, qkScale: 5, gateValuesPerHead: true},
  ...{causal: true, lookBackward: 2, useXpos: true, exactWindowsize: false},
};

const CASES: MHACase[] = [
  {name: 'one token', config: {...SIZES, windowSize: 4}, n: 1},
  {name: 'a window of one token', config: {...SIZES, windowSize: 1}, n: 7},
  {name: 'fewer tokens than a window', config: {...SIZES, windowSize: 8}, n: 5},
  {name: 'one token more than two windows', config: {...SIZES, windowSize: 4}, n: 9},
  {
    name: 'no rotary, odd heads',
    config: {...SIZES, dimHead: 3, windowSize: 3, useRotaryPosEmb: false},
    n: 8,
  },
  {
    name: 'look forward two, back none',
    config: {...SIZES, windowSize: 3, lookBackward: 0, lookForward: 2},
    n: 10,
  },
  {name: 'shared keys', config: {...SIZES, windowSize: 3, sharedQk: true}, n: 7, mask: 'random'},
  {
    name: 'everything',
    config: {...SIZES, ...EVERYTHING, windowSize: 3},
    n: 11,
    mask: 'random',
    biasHeads: 3,
  },
  {
    name: 'everything, one token',
    config: {...SIZES, ...EVERYTHING, windowSize: 3},
    n: 1,
    mask: 'random',
  },
  {name: 'no key at all', config: {...SIZES, windowSize: 3}, n: 7, mask: 'none'},
  {
    name: 'no key at all, gated',
    config: {...SIZES, ...EVERYTHING, windowSize: 3},
    n: 4,
    mask: 'none',
  },
  {name: 'one mask for the batch', config: {...SIZES, windowSize: 2}, n: 5, mask: 'rows of 1'},
  {name: 'one bias for the heads', config: {...SIZES, windowSize: 2}, n: 5, biasHeads: 1},
  {
    name: 'one head',
    config: {...SIZES, heads: 1, windowSize: 2},
    n: 5,
    mask: 'random',
    biasHeads: 1,
  },
];

describe.each(BACKENDS)('%s:', (backend) => {
  beforeAll(() => useBackend(backend));
  let before: ReturnType<typeof living>;
  beforeEach(() => void (before = living()));
  afterEach(() => expect(living()).toEqual(before));

  test.each(CASES.map((c) => [c.name, c] as const))('answers as the loops: %s', async (_, c) => {
    const {x, mask, attnBias} = inputsOf(c);
    const layer = layers.localMHA(c.config);
    const inputs = [
      tensor(x),
      ...(mask ? [boolTensor(mask)] : []),
      ...(attnBias ? [tensor(attnBias)] : []),
    ];
    tf.dispose(layer.apply(inputs) as tf.Tensor);
    const weights = randomWeights(layer);
    const out = layer.apply(inputs) as tf.Tensor;
    const wanted = naiveLocalMHA(x, weights, c.config, {mask, attnBias});
    await expectClose('out', out, wanted, tolerance(c, x, weights, attnBias));
    if (c.mask === 'none') expect(largest(await out.data())).toBe(0);
    tf.dispose([inputs, out]);
    layer.dispose();
  });

  // which TF.js's webgpu backend cannot sum
  const onNothing = backend === 'webgpu' ? test.skip : test;
  onNothing('no tokens at all give no tokens, with a mask, a bias and gradients', async () => {
    tf.engine().startScope();
    const layer = layers.localMHA({...SIZES, ...EVERYTHING, windowSize: 2});
    const inputs = [tf.zeros([BATCH, 0, DIM]), tf.zeros([BATCH, 0], 'bool'), tf.zeros([3, 2, 6])];
    const loss = () => tf.sum(layer.apply(inputs) as tf.Tensor) as tf.Scalar;
    expect((layer.apply(inputs) as tf.Tensor).shape).toEqual([BATCH, 0, DIM]);
    const masked = layer.apply(inputs[0], {mask: inputs[1]}) as tf.Tensor;
    expect(masked.shape).toEqual([BATCH, 0, DIM]);
    const {grads} = tf.variableGrads(loss);
    const values = await Promise.all(Object.values(grads).map((grad) => grad.data()));
    expect(values.map(largest)).toEqual(layer.weights.map(() => 0));
    layer.dispose();
    tf.engine().endScope();
  });
});

function inputsOf({n, config, mask, biasHeads, name}: MHACase) {
  const random = generator(name.length);
  const {windowSize, causal, lookBackward = 1, lookForward = causal ? 0 : 1} = config;
  const x = uniform(random, [BATCH, n, DIM]);
  const rows = mask === 'rows of 1' ? 1 : BATCH;
  const keeps = () => (mask === 'none' ? 0 : +(random() < 0.6));
  const context = (1 + lookBackward + lookForward) * windowSize;
  return {
    x,
    mask: mask && {shape: [rows, n], data: Array.from({length: rows * n}, keeps)},
    attnBias: biasHeads ? uniform(random, [biasHeads, windowSize, context]) : undefined,
  };
}

/** Gives the layer random weights, also where it begins with ones or zeros; answers them by name. */
function randomWeights(layer: tf.layers.Layer): Record<string, Values> {
  const random = generator(5);
  const weights = layer.weights.map(({originalName, shape}) => {
    const name = originalName.split('/').slice(1).join('/');
    return [name, uniform(random, shape as number[])] as const;
  });
  tf.tidy(() => layer.setWeights(weights.map(([, values]) => tensor(values))));
  return Object.fromEntries(weights);
}

/** By bounds: a projection of dim terms before the scores, and one of heads · dimHead terms after. */
function tolerance(
  {config, n}: MHACase,
  x: Values,
  weights: Record<string, Values>,
  attnBias?: Values,
): number {
  const {heads = 8, dimHead = 64, windowSize, lookBackward = 1, qkScale = 8} = config;
  const {causal, lookForward = causal ? 0 : 1} = config;
  const length = config.prenorm ? Math.sqrt(DIM) + 1 : largestProduct(x, {shape: [1], data: [1]});
  const projected = length * Math.sqrt(DIM * dimHead) * largest(weights['to_qkv/kernel'].data);
  const growth = config.useXpos ? 3.5 ** (windowSize / Math.floor(windowSize / 2)) : 1;
  const products = config.qkRmsnorm
    ? qkScale
    : dimHead ** -0.5 * projected * (config.sharedQk ? 1 : projected);
  return outputTolerance({
    d: DIM + heads * dimHead,
    context: Math.min(n, (1 + lookBackward + lookForward) * windowSize),
    largestScore: growth * products + largest(attnBias?.data ?? []),
  });
}
