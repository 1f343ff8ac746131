/** TF.js leaves a mask lying for every later layer of a model. Which of them is it for? */
import * as tf from '@tensorflow/tfjs';

import {layers} from '../../src';
import {describeSynchronous, useBackend} from '../support/backends';
import {living} from '../support/close';

const [BATCH, N, D] = [2, 6, 4];

type Node = tf.SymbolicTensor;
const node = (layer: tf.layers.Layer, ...inputs: Node[]) =>
  layer.apply(inputs.length === 1 ? inputs[0] : inputs) as Node;
const input = (n = N) => tf.input({shape: [n, D]});
const masked = (x: Node) => node(tf.layers.masking({maskValue: 0}), x);
const mha = () => layers.localMHA({dim: D, windowSize: 2, heads: 2, dimHead: 2});
const values = (x: tf.Tensor | tf.Tensor[] | Node | Node[]) => (x as tf.Tensor).dataSync();

/** Tokens, every third of them missing: all zero. */
function tokens(n = N): tf.Tensor {
  return tf.tidy(() => {
    const kept = tf.notEqual(tf.mod(tf.range(0, n), 3), 1);
    const x = tf.randomNormal([BATCH, n, D], 0, 1, 'float32', 3);
    return tf.where(tf.reshape(kept, [1, n, 1]), x, tf.zerosLike(x));
  });
}

/** The tokens one place later, so that others are missing; reversed, it would be the same ones. */
const shifted = () => tf.concat(tf.split(tokens(), [N - 1, 1], 1).reverse(), 1);

const maskOf = (x: tf.Tensor) => tf.any(tf.notEqual(x, 0), -1);
const withMask = (layer: tf.layers.Layer, x: tf.Tensor) => values(layer.apply([x, maskOf(x)]));
const without = (layer: tf.layers.Layer, x: tf.Tensor) => values(layer.apply(x));

/**
 * A masked branch beside another, which is computed after it; a layer joins them, or their model
 * alone does. Answers the other's output.
 */
function twoBranches(other: Node, beside: Node, x: tf.Tensor, joined = true): Float32Array {
  const a = input();
  const first = node(tf.layers.lstm({units: 2}), masked(a));
  const join = () => node(tf.layers.concatenate(), node(tf.layers.flatten(), beside), first);
  const layer = beside.sourceLayer;
  const call = jest.spyOn(layer, 'call');
  const model = tf.model({
    inputs: [a, other],
    outputs: [first, beside, ...(joined ? [join()] : [])],
  });
  const [, second] = model.predict([tokens(), x]) as tf.Tensor[];
  expect(call.mock.lastCall![1].mask).toBeInstanceOf(tf.Tensor); // TF.js hands one over
  return second.dataSync() as Float32Array;
}

class Maker extends tf.layers.Layer {
  static className = 'Maker';
  override supportsMasking = true;
  override call(inputs: tf.Tensor[]) {
    return tf.clone(inputs[0]);
  }
  override computeMask(inputs: tf.Tensor | tf.Tensor[]) {
    return tf.tidy(() => maskOf(Array.isArray(inputs) ? inputs[0] : inputs));
  }
  override computeOutputShape(shape: tf.Shape) {
    return shape;
  }
}

describeSynchronous('%s:', (backend) => {
  beforeAll(() => useBackend(backend));
  let before: ReturnType<typeof living>;
  beforeEach(() => void (before = living()));
  afterEach(() => {
    tf.disposeVariables();
    expect(living()).toEqual(before);
  });
  const claim = (name: string, body: () => void) => test(name, () => void tf.tidy(body));

  claim('masked and unmasked tokens differ here', () => {
    const layer = mha();
    expect(withMask(layer, tokens())).not.toEqual(without(layer, tokens()));
  });

  claim('a branch without a mask ignores that of a branch of another length', () => {
    const [layer, b] = [mha(), input(9)];
    expect(twoBranches(b, node(layer, b), tokens(9))).toEqual(without(layer, tokens(9)));
  });

  claim('a branch without a mask ignores that of a branch of the same length', () => {
    const [layer, b] = [mha(), input()];
    expect(twoBranches(b, node(layer, b), tokens())).toEqual(without(layer, tokens()));
  });

  claim('also where they meet in no layer, but only in the outputs of their model', () => {
    const [layer, b] = [mha(), input()];
    expect(twoBranches(b, node(layer, b), tokens(), false)).toEqual(without(layer, tokens()));
  });

  claim('so does a residual branch with layers that pass masks on', () => {
    const [first, second, b] = [mha(), mha(), input()];
    const sum = node(tf.layers.add(), b, node(first, b));
    const wanted = tf.add(tokens(), first.apply(tokens()) as tf.Tensor);
    expect(twoBranches(b, node(second, sum), tokens())).toEqual(without(second, wanted));
  });

  claim('a branch with a mask of its own keeps that', () => {
    const [layer, b] = [mha(), input()];
    const mine = shifted();
    expect(twoBranches(b, node(layer, masked(b)), mine)).toEqual(withMask(layer, mine));
  });

  claim('a mask that a layer of the user makes counts like that of tf.layers.masking', () => {
    const [layer, b] = [mha(), input()];
    const made = node(layer, node(new Maker({}), b));
    expect(twoBranches(b, made, tokens())).toEqual(withMask(layer, tokens()));
  });

  claim('a mask still arrives behind a layer that does not pass it on, as at an LSTM', () => {
    const [layer, x] = [mha(), input()];
    const behind = node(tf.layers.reshape({targetShape: [N, D]}), masked(x));
    const model = tf.model({inputs: x, outputs: node(layer, behind)});
    expect(values(model.predict(tokens()))).toEqual(withMask(layer, tokens()));
  });

  claim('a model inside a model gets the mask of the outer one', () => {
    const layer = mha();
    const inner = input();
    const functional = tf.model({inputs: inner, outputs: node(layer, inner)});
    const first = layers.localAttention({windowSize: 2, inputShape: [N, D]});
    const sequential = tf.sequential({layers: [first]});
    for (const nested of [functional, sequential]) {
      const [attention] = nested.layers.slice(-1);
      const x = input();
      const model = tf.model({inputs: x, outputs: node(nested, masked(x))});
      expect(values(model.predict(tokens()))).toEqual(withMask(attention, tokens()));
      const list = tf.sequential({layers: [tf.layers.masking({inputShape: [N, D]}), nested]});
      expect(values(list.predict(tokens()))).toEqual(withMask(attention, tokens()));
    }
  });

  claim('a model inside a model uses the mask that it makes itself', () => {
    const layer = mha();
    const inner = input();
    const nested = tf.model({inputs: inner, outputs: node(layer, masked(inner))});
    const x = input();
    const after = mha();
    const model = tf.model({inputs: x, outputs: node(after, node(nested, x))});
    const wanted = layer.apply([tokens(), maskOf(tokens())]) as tf.Tensor;
    expect(values(model.predict(tokens()))).toEqual(without(after, wanted));
  });

  claim('a mask given to model.apply reaches the layers', () => {
    const [layer, x] = [mha(), input()];
    const model = tf.model({inputs: x, outputs: node(layer, x)});
    const mask = maskOf(tokens());
    expect(values(model.apply(tokens(), {mask}))).toEqual(withMask(layer, tokens()));
    expect(mask.isDisposed).toBe(false);
  });

  claim('a mask given to a model of two inputs reaches the layers of both', () => {
    const [one, two, x, y] = [mha(), mha(), input(), input()];
    const model = tf.model({inputs: [x, y], outputs: [node(one, x), node(two, y)]});
    const options = {mask: maskOf(tokens())};
    const wanted = [one, two].map((layer) => withMask(layer, tokens()));
    for (const call of [1, 2]) {
      const answers = model.apply([tokens(), tokens()], options) as tf.Tensor[];
      expect([call, answers.map(values)]).toEqual([call, wanted]);
    }
  });

  claim('a layer of a model, applied to tensors, takes the mask of that call', () => {
    const [one, two, x] = [mha(), mha(), input()];
    tf.model({inputs: x, outputs: node(two, node(one, x))});
    const options = {mask: maskOf(tokens())};
    for (const call of [1, 2]) {
      const got = values(one.apply([tokens()], options));
      expect([call, got]).toEqual([call, withMask(one, tokens())]);
    }
    for (const layer of [one, two]) {
      expect(values(layer.apply(tokens(), options))).toEqual(withMask(layer, tokens()));
    }
    const mask = tf.ones([BATCH, N + 1], 'bool');
    expect(() => one.apply(tokens(), {mask})).toThrow('mask must be a living tensor');
  });

  claim('a mask of tokens that a layer between has made fewer is left alone', () => {
    const [layer, x] = [mha(), input()];
    const pooled = node(tf.layers.averagePooling1d({poolSize: 3, strides: 3}), masked(x));
    const model = tf.model({inputs: x, outputs: [pooled, node(layer, pooled)]});
    const [half, got] = model.predict(tokens()) as tf.Tensor[];
    expect(values(got)).toEqual(without(layer, half));
  });

  claim('the output has the mask of the first input, whatever is computed after it', () => {
    const attention = () => layers.localAttention({windowSize: 2});
    const [one, two, x, y] = [attention(), attention(), input(), input()];
    const other = shifted();
    const [h, g] = [node(attention(), masked(x)), node(attention(), masked(y))];
    const outputs = [h, g, node(one, h, g, g), node(two, g, h, h)];
    const model = tf.model({inputs: [x, y], outputs});
    const [a, b, first, second] = model.predict([tokens(), other]) as tf.Tensor[];
    expect(values(first)).toEqual(values(one.apply([a, b, b, maskOf(tokens())])));
    expect(values(second)).toEqual(values(two.apply([b, a, a, maskOf(other)])));
  });

  test('apply with a mask, out of a tidy, leaves its answer alone', () => {
    for (const layer of [mha(), layers.localAttention({windowSize: 2})]) {
      const [x, mask] = [tokens(), tf.tidy(() => maskOf(tokens()))];
      tf.dispose(layer.apply(x) as tf.Tensor); // builds
      const alive = tf.memory().numTensors;
      const answer = layer.apply(x, {mask}) as tf.Tensor;
      expect(tf.memory().numTensors - alive).toBe(1);
      tf.dispose([x, mask, answer]);
    }
  });

  claim('queries, keys and values take the mask of the first', () => {
    const layer = layers.localAttention({windowSize: 2});
    const [x, y] = [input(), input()];
    const inputs = {first: [masked(x), y, y], second: [x, masked(y), masked(y)]};
    const other = tf.randomNormal([BATCH, N, D], 0, 1, 'float32', 8);
    const answer = (list: Node[]) =>
      values(tf.model({inputs: [x, y], outputs: node(layer, ...list)}).predict([tokens(), other]));
    const qkv = [tokens(), other, other];
    expect(answer(inputs.first)).toEqual(values(layer.apply([...qkv, maskOf(tokens())])));
    expect(answer(inputs.second)).toEqual(values(layer.apply(qkv)));
  });

  claim('masking of [B, h, n, d] hides keys of one head', () => {
    const layer = layers.localAttention({windowSize: 2});
    const x = tf.input({shape: [3, N, D]});
    const model = tf.model({inputs: x, outputs: node(layer, masked(x))});
    const kept = tf.greater(tf.randomUniform([BATCH, 3, N], 0, 1, 'float32', 5), 0.3);
    const heads = tf.mul(
      tf.randomNormal([BATCH, 3, N, D], 0, 1, 'float32', 6),
      tf.cast(tf.expandDims(kept, -1), 'float32'),
    );
    const rows = tf.reshape(heads, [BATCH * 3, N, D]);
    expect(values(model.predict(heads))).toEqual(withMask(layer, rows));
  });
});
