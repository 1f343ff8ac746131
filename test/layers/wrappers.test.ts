/** A layer that holds one of ours, in a model where another branch's mask lies about. */
import * as tf from '@tensorflow/tfjs';

import {layers} from '../../src';
import {describeSynchronous, useBackend} from '../support/backends';
import {living} from '../support/close';

const [BATCH, N, D] = [2, 6, 4];

type Node = tf.SymbolicTensor;
type Kwargs = Record<string, unknown>;
type Pass = (x: tf.Tensor, kwargs: Kwargs, inner: tf.layers.Layer) => unknown;

const node = (layer: tf.layers.Layer, ...inputs: Node[]) =>
  layer.apply(inputs.length === 1 ? inputs[0] : inputs) as Node;
const input = (...shape: number[]) => tf.input({shape});
const masked = (x: Node) => node(tf.layers.masking({maskValue: 0}), x);
const mha = () => layers.localMHA({dim: D, windowSize: 2, heads: 2, dimHead: 2});
const attention = () => layers.localAttention({windowSize: 2, autopad: true});
const values = (x: unknown) => (x as tf.Tensor).dataSync();
const maskOf = (x: tf.Tensor) => tf.any(tf.notEqual(x, 0), -1);
const withMask = (layer: tf.layers.Layer, x: tf.Tensor) => values(layer.apply([x, maskOf(x)]));
const without = (layer: tf.layers.Layer, x: tf.Tensor) => values(layer.apply(x));

/** Tokens, one in three of them missing: all zero. Which, `offset` says. */
function tokens(n = N, offset = 1): tf.Tensor {
  return tf.tidy(() => {
    const kept = tf.notEqual(tf.mod(tf.add(tf.range(0, n), offset), 3), 2);
    const x = tf.randomNormal([BATCH, n, D], 0, 1, 'float32', 3);
    return tf.where(tf.reshape(kept, [1, n, 1]), x, tf.zerosLike(x));
  });
}

/** A layer of the user's own, which holds another and calls it as `pass` does. */
class Holder extends tf.layers.Layer {
  static className = 'Holder';
  override supportsMasking = true;
  constructor(
    readonly inner: tf.layers.Layer,
    readonly pass: Pass,
  ) {
    super({});
  }
  override build(shape: tf.Shape) {
    if (!this.inner.built) this.inner.build(shape);
    this.inner.built = true;
    super.build(shape);
  }
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Kwargs) {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    return this.pass(x, kwargs, this.inner) as tf.Tensor;
  }
  override computeOutputShape(shape: tf.Shape) {
    return shape;
  }
}

const PASSES: [string, Pass][] = [
  ['inner.apply(x, kwargs)', (x, kwargs, inner) => inner.apply(x, kwargs)],
  ['inner.call(x, kwargs)', (x, kwargs, inner) => inner.call(x, kwargs)],
  ['inner.apply(x, {...kwargs})', (x, kwargs, inner) => inner.apply(x, {...kwargs})],
  [
    'a holder in the holder',
    (x, kwargs, inner) => new Holder(inner, (y, all, it) => it.apply(y, all)).apply(x, kwargs),
  ],
];

/**
 * A masked branch beside another, which is computed after it. Joined by a layer, or by the model
 * alone. Answers the other's output.
 */
function beside(other: Node, branch: Node, x: tf.Tensor, ids: tf.Tensor, joined = true) {
  const a = input(N, D);
  const first = node(tf.layers.lstm({units: 2}), masked(a));
  const join = () => node(tf.layers.concatenate(), node(tf.layers.flatten(), branch), first);
  const outputs = [first, branch, ...(joined ? [join()] : [])];
  const call = jest.spyOn(branch.sourceLayer, 'call');
  const model = tf.model({inputs: [a, other], outputs});
  const [, second] = model.predict([ids, x]) as tf.Tensor[];
  expect(call.mock.lastCall![1].mask).toBeInstanceOf(tf.Tensor); // TF.js hands one over
  return values(second);
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

  describe.each([
    ['LocalMHA', mha],
    ['LocalAttention', attention],
  ])('%s', (_, make) => {
    describe.each(PASSES)('within a layer that calls it by %s', (_, pass) => {
      claim("ignores another branch's mask, of its length or not, joined or not", () => {
        for (const n of [N, N + 3]) {
          for (const joined of [true, false]) {
            const [inner, b] = [make(), input(n, D)];
            const holder = node(new Holder(inner, pass), b);
            const got = beside(b, holder, tokens(n), tokens(), joined);
            expect(got).toEqual(without(inner, tokens(n)));
          }
        }
      });

      claim("takes the mask that is the holder's, also behind other layers", () => {
        for (const between of [[], [tf.layers.dropout({rate: 0.5})]]) {
          const [inner, b] = [make(), input(N, D)];
          const x = [masked(b), ...between].reduce((y, layer) => node(layer as never, y as Node));
          const holder = node(new Holder(inner, pass), x as Node);
          const mine = tokens(N, 0);
          expect(beside(b, holder, mine, tokens())).toEqual(withMask(inner, mine));
          expect(withMask(inner, mine)).not.toEqual(without(inner, mine));
        }
      });

      claim('evaluate sees the masks as predict does', () => {
        const inner = make();
        const [a, b] = [input(N, D), input(N, D)];
        const [left, right] = [new Holder(inner, pass), new Holder(inner, pass)];
        const outputs = [node(left, masked(a)), node(right, b)];
        const model = tf.model({inputs: [a, b], outputs});
        const wanted = [inner.apply([tokens(), maskOf(tokens())]), inner.apply(tokens())];
        model.compile({loss: 'meanSquaredError', optimizer: 'sgd'});
        const given = [tokens(), tokens()];
        const losses = model.evaluate(given, wanted as tf.Tensor[]) as tf.Scalar[];
        expect(new Set(losses.map((loss) => loss.dataSync()[0]))).toEqual(new Set([0]));
        model.dispose();
      });

      claim('takes the mask that the holder was called with on tensors', () => {
        const inner = make();
        const holder = new Holder(inner, pass);
        const got = values(holder.apply(tokens(), {mask: maskOf(tokens())}));
        expect(got).toEqual(withMask(inner, tokens()));
      });
    });

    claim('takes the mask that its holder makes, whatever lies about', () => {
      const [inner, b] = [make(), input(N, D)];
      const holder = new Holder(inner, (x, _, it) => it.apply(x, {mask: maskOf(x)}));
      const mine = tokens(N, 0);
      expect(beside(b, node(holder, b), mine, tokens())).toEqual(withMask(inner, mine));
    });

    claim('within timeDistributed, takes no mask, since none is for one step', () => {
      const alone = (inner: tf.layers.Layer, x: tf.Tensor) =>
        values(tf.stack(tf.unstack(x, 1).map((step) => inner.apply(step)) as tf.Tensor[], 1)); // prettier-ignore
      for (const n of [N, N + 3]) {
        const inner = make();
        const layer = () => tf.layers.timeDistributed({layer: inner});
        const b = input(2, n, D);
        const x = tf.stack([tokens(n), tf.reverse(tokens(n), 1)], 1); // [B, 2, n, d]
        expect(beside(b, node(layer(), b), x, tokens())).toEqual(alone(inner, x));
        // nor its own, of [B, steps]: with n steps, it would fit the tokens
        const rows = input(n);
        const table = tf.layers.embedding({inputDim: 3, outputDim: n * D, maskZero: true});
        const cubes = node(tf.layers.reshape({targetShape: [n, n, D]}), node(table, rows));
        const model = tf.model({inputs: rows, outputs: [cubes, node(layer(), cubes)]});
        const ids = tf.mod(tf.reshape(tf.range(0, BATCH * n), [BATCH, n]), 3);
        const [cube, got] = model.predict(ids) as tf.Tensor[];
        expect(values(got)).toEqual(alone(inner, cube));
      }
    });
  });

  claim(
    'a mask of another length that its holder made is refused, and the message says what the holder must do',
    () => {
      const inner = mha();
      const shorter = (x: tf.Tensor) => tf.slice(maskOf(x), [0, 0], [BATCH, 3]);
      const holder = new Holder(inner, (x, _, it) => it.apply(x, {mask: shorter(x)}));
      const remedy = 'the layer around must hand on a mask of these tokens, or none';
      expect(() => holder.apply(tokens())).toThrow(
        `[LocalMHA] mask must be a living tensor of shape [2, 6] (${remedy}), got a bool tensor`,
      );
    },
  );

  claim('what a model is told for other layers does not disturb one within a holder', () => {
    const inner = mha();
    const x = input(N, D);
    const holder = new Holder(inner, (y, kwargs, it) => it.apply(y, kwargs));
    const model = tf.model({inputs: x, outputs: node(holder, x)});
    expect(values(model.apply(tokens(), {mine: 3}))).toEqual(without(inner, tokens()));
    expect(() => inner.apply(tokens(), {mine: 3})).toThrow(/unknown option 'mine'/);
  });

  claim('a layer that nobody has built says so when it is called', () => {
    const forgets = new Holder(mha(), (x, kwargs, it) => it.call(x, kwargs));
    forgets.inner.built = true; // so that the holder does not build it
    forgets.build([BATCH, N, D]);
    forgets.inner.built = false;
    expect(() => forgets.apply(tokens())).toThrow(
      '[LocalMHA] call needs the weights: apply makes them, and so does build(shape) in the build',
    );
  });

  claim('a holder that throws leaves nothing behind that a later call could meet', () => {
    const inner = mha();
    const fails = new Holder(inner, () => {
      throw new Error('mine');
    });
    expect(() => fails.apply(tokens(), {mask: maskOf(tokens())})).toThrow('mine');
    expect(() => inner.apply(tokens(), {mine: 3})).toThrow(/unknown option 'mine'/);
    expect(values(inner.apply(tokens(), {mask: maskOf(tokens())}))).toEqual(
      withMask(inner, tokens()),
    );
  });

  claim('a model inside a model ignores a mask that is not for its input', () => {
    const [layer, x] = [mha(), input(N, D)];
    const nested = tf.model({inputs: x, outputs: node(layer, x)});
    const b = input(N, D);
    expect(beside(b, node(nested, b), tokens(), tokens())).toEqual(without(layer, tokens()));
  });

  claim('a model of two inputs inside a model takes its mask for the first alone', () => {
    const [one, two] = [mha(), mha()];
    const [x, y] = [input(N, D), input(N, D)];
    const nested = tf.model({inputs: [x, y], outputs: [node(one, x), node(two, y)]});
    const [a, b] = [input(N, D), input(N, D)];
    const model = tf.model({inputs: [a, b], outputs: nested.apply([masked(a), b]) as Node[]});
    const [first, second] = model.predict([tokens(), tokens()]) as tf.Tensor[];
    expect(values(first)).toEqual(withMask(one, tokens()));
    expect(values(second)).toEqual(without(two, tokens()));
  });
});
