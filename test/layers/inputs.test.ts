/** Which list of inputs means what, eagerly and in a model. */
import * as tf from '@tensorflow/tfjs';

import {layers, localAttention} from '../../src';
import {describeSynchronous, useBackend} from '../support/backends';
import {living} from '../support/close';

// batch, heads, tokens, head size, value size, window, context
const [B, H, N, D, DV, W, C] = [2, 3, 8, 4, 5, 2, 6];
const CONFIG = {windowSize: W};

type Node = tf.SymbolicTensor;
const values = (x: tf.Tensor | tf.Tensor[] | Node | Node[]) => (x as tf.Tensor).dataSync();
const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed);
const makeMask = () => tf.tidy(() => tf.greater(random([B, N], 9), -0.4));

/** A bias [h, w, C] that is a weight, for layers that take any input. */
class LearnedBias extends tf.layers.Layer {
  static className = 'LearnedBias';
  private bias!: tf.LayerVariable;
  override build() {
    this.bias = this.addWeight('bias', [1, W, C], 'float32', tf.initializers.zeros());
    this.built = true;
  }
  override call() {
    return tf.clone(this.bias.read());
  }
  override computeOutputShape() {
    return [1, W, C];
  }
}

const FORMS = ['', 'mask', 'bias', 'mask bias'];

describeSynchronous('%s:', (backend) => {
  beforeAll(() => useBackend(backend));
  let before: ReturnType<typeof living>;
  beforeEach(() => void (before = living()));
  afterEach(() => {
    tf.disposeVariables();
    expect(living()).toEqual(before);
  });
  const claim = (name: string, body: () => void) => test(name, () => void tf.tidy(body));

  describe.each(FORMS)('with [%s] after the main inputs', (form) => {
    const optional = (heads: number) => {
      const mask = form.includes('mask') ? makeMask() : null;
      const attnBias = form.includes('bias') ? random([heads, W, C], 4) : null;
      const list = [mask, attnBias].filter((x) => x !== null) as tf.Tensor[];
      return {list, call: {mask, attnBias}};
    };

    claim('LocalAttention reads x as queries, keys and values', () => {
      const layer = layers.localAttention(CONFIG);
      for (const shape of [
        [B, N, D],
        [B, H, N, D],
      ]) {
        const x = random(shape, 1);
        const {list, call} = optional(shape.length === 4 ? H : 1);
        const wanted = values(localAttention(x, x, x, CONFIG, call));
        expect(values(layer.apply([x, ...list]))).toEqual(wanted);
        if (list.length === 0) expect(values(layer.apply(x))).toEqual(wanted);
      }
    });

    claim('LocalAttention reads [q, k, v] with values of another width', () => {
      const layer = layers.localAttention(CONFIG);
      for (const leading of [[B], [B, H]]) {
        const [q, k] = [random([...leading, N, D], 1), random([...leading, N, D], 2)];
        const v = random([...leading, N, DV], 3);
        const {list, call} = optional(1);
        const out = layer.apply([q, k, v, ...list]) as tf.Tensor;
        expect(out.shape).toEqual([...leading, N, DV]);
        expect(values(out)).toEqual(values(localAttention(q, k, v, CONFIG, call)));
      }
    });

    claim('LocalMHA reads x', () => {
      const layer = layers.localMHA({...CONFIG, dim: D, heads: H, dimHead: 2});
      const x = random([B, N, D], 1);
      const {list, call} = optional(H);
      const out = layer.apply([x, ...list]) as tf.Tensor;
      const plain = values(layer.apply(x));
      expect(out.shape).toEqual([B, N, D]);
      if (form === '') expect(values(out)).toEqual(plain);
      else expect(values(out)).not.toEqual(plain);
      if (form === 'mask') {
        expect(values(layer.apply(x, {mask: call.mask}))).toEqual(values(out));
      }
    });
  });

  claim('q, k, v and a bool mask go through predict and fit', () => {
    const inputs = [
      ...[D, D, DV].map((size) => tf.input({shape: [N, size]})),
      tf.input({shape: [N], dtype: 'bool'}),
    ];
    const layer = layers.localAttention(CONFIG);
    const model = tf.model({inputs, outputs: layer.apply(inputs) as Node});
    const given = [random([B, N, D], 1), random([B, N, D], 2), random([B, N, DV], 3), makeMask()];
    expect(values(model.predict(given))).toEqual(values(layer.apply(given)));
    expect(values(model.predict(given, {batchSize: 1}))).toEqual(values(layer.apply(given)));
  });

  test('fit trains through a bool mask input', async () => {
    const inputs = [tf.input({shape: [N, D]}), tf.input({shape: [N], dtype: 'bool'})];
    const layer = layers.localMHA({...CONFIG, dim: D, heads: H, dimHead: 2});
    const model = tf.model({inputs, outputs: layer.apply(inputs) as Node});
    model.compile({loss: 'meanSquaredError', optimizer: 'adam'});
    const [x, mask, y] = [random([B, N, D], 1), makeMask(), random([B, N, D], 2)];
    const {history} = await model.fit([x, mask], y, {epochs: 12, batchSize: 1, verbose: 0});
    expect(history.loss[11]).toBeLessThan(history.loss[0] as number);
    tf.dispose([x, mask, y]);
    model.dispose();
  });

  test('a bias that a layer holds as a weight is trained, alone or after a mask', async () => {
    for (const withMask of [false, true]) {
      const inputs = [tf.input({shape: [N, D]}), tf.input({shape: [N], dtype: 'bool'})];
      const bias = new LearnedBias({});
      const learned = bias.apply(inputs[0]) as Node;
      const list = withMask ? [...inputs, learned] : [inputs[0], learned];
      const used = withMask ? inputs : inputs.slice(0, 1);
      const out = layers.localAttention(CONFIG).apply(list) as Node;
      const model = tf.model({inputs: used, outputs: out});
      const optimizer = tf.train.sgd(1);
      model.compile({loss: 'meanSquaredError', optimizer});
      const [x, mask, y] = [random([B, N, D], 1), makeMask(), random([B, N, D], 2)];
      await model.fit(withMask ? [x, mask] : x, y, {epochs: 2, verbose: 0});
      expect(Math.max(...values(bias.getWeights()[0]).map(Math.abs))).toBeGreaterThan(1e-4);
      tf.dispose([x, mask, y]);
      optimizer.dispose();
      model.dispose();
    }
  });

  claim('a mask input serves two layers after one another, and their caller after that', () => {
    const options = {...CONFIG, dim: D, heads: H, dimHead: 2};
    for (const make of [
      () => layers.localMHA({...options, prenorm: true}),
      () => layers.localTransformerBlock(options),
    ]) {
      const [first, second] = [make(), make()];
      const [x, mask] = [random([B, N, D], 1), makeMask()];
      const once = first.apply([x, mask]) as tf.Tensor;
      const twice = second.apply([once, mask]) as tf.Tensor;
      expect(values(twice)).toEqual(values(second.apply(once, {mask})));
      expect(values(mask)).toEqual(values(makeMask()));
    }
  });

  claim('one model takes sequences of several lengths', () => {
    const x = tf.input({shape: [null, D]});
    const attention = layers.localAttention({windowSize: 4, autopad: true});
    const mha = layers.localMHA({...CONFIG, dim: D, heads: H, dimHead: 2});
    const rotary = layers.rotaryEmbedding({dim: D});
    const h = rotary.apply(attention.apply(x)) as Node;
    const model = tf.model({inputs: x, outputs: mha.apply(h) as Node});
    for (const n of [1, 7, 8]) {
      const given = random([B, n, D], n);
      const wanted = mha.apply(rotary.apply(attention.apply(given)));
      expect(values(model.predict(given))).toEqual(values(wanted));
    }
  });

  claim('with xpos, apply on tensors takes a window for one call', () => {
    const config = {windowSize: 4, useXpos: true};
    const x = random([B, N, D], 1);
    const got = layers.localAttention(config).apply(x, {windowSize: 2}) as tf.Tensor;
    const wanted = localAttention(x, x, x, config, {windowSize: 2});
    expect(values(got)).toEqual(values(wanted));
    expect(values(got)).not.toEqual(values(localAttention(x, x, x, config)));
  });
});

describe('what could mean two things is refused with the remedy:', () => {
  const x = () => tf.zeros([B, N, D]);
  const attention = () => layers.localAttention(CONFIG);
  const mha = () => layers.localMHA({...CONFIG, dim: D, heads: 1, dimHead: 2});
  const mask = () => tf.ones([B, N], 'bool');
  const bias = () => tf.zeros([1, W, C]);

  test.each<[string, () => tf.layers.Layer, () => tf.Tensor[], RegExp]>([
    ['two inputs of one shape', attention, () => [x(), x()], /write \[q, k, v\] .* or \[x, mask,/],
    ['a bias before the mask', attention, () => [x(), bias(), mask()], /inputs must be x or \[q/],
    ['a mask twice', attention, () => [x(), mask(), mask()], /inputs must be x or \[q, k, v\]/],
    ['six inputs', attention, () => [x(), x(), x(), mask(), bias(), bias()], /got \[a bool/],
    ['a float mask', attention, () => [x(), tf.ones([B, N])], /a mask .*bool/],
    ['a float mask', mha, () => [x(), tf.ones([B, N])], /a mask .*bool/],
    ['an int32 mask', mha, () => [x(), tf.ones([B, N], 'int32')], /a mask .*bool/],
    [
      'a float mask before a bias',
      attention,
      () => [x(), tf.ones([B, N]), bias()],
      /a mask .*bool/,
    ],
    ['queries and keys', mha, () => [x(), x(), x()], /inputs must be x, and after it \[mask\]/],
    ['a bias before the mask', mha, () => [x(), bias(), mask()], /inputs must be x, and after/],
  ])('%s', (_, make, inputs, message) => {
    tf.tidy(() => {
      const layer = make();
      expect(() => layer.apply(inputs())).toThrow(message);
      expect((layer.apply(x()) as tf.Tensor).shape).toEqual([B, N, D]); // still of use
    });
    tf.disposeVariables();
  });

  test('two symbolic inputs of one shape, before anything runs', () => {
    const [a, b] = [tf.input({shape: [N, D]}), tf.input({shape: [N, D]})];
    expect(() => attention().apply([a, b])).toThrow(/or \[x, mask, bias\] for a bias, got \[null,/);
  });
});
