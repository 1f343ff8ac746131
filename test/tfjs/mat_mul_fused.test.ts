/** Our _FusedMatMul against the ops that it fuses, and against TF.js's own where that is right. */
import * as tf from '@tensorflow/tfjs';

import {useBackend} from '../support/backends';
import {living} from '../support/close';
import {
  describeEach,
  TRANSPOSES,
  kernels,
  multiplied,
  operands,
  sumBound,
  withOurs,
} from '../support/products';

const ACTIVATIONS = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const;
type Activation = (typeof ACTIVATIONS)[number];

/** What is fused, one op after the other: `x` is the product and the bias. */
function activated(x: tf.Tensor, activation: Activation, alpha: tf.Tensor): tf.Tensor {
  if (activation === 'linear') return x;
  if (activation === 'leakyrelu') return tf.leakyRelu(x, 0.3);
  return activation === 'prelu' ? tf.prelu(x, alpha) : tf[activation](x);
}

describeEach('on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  const fused = () => kernels(backend, '_FusedMatMul');

  // every activation has a slope of at most 1 where it is computed here, but sums are rounded twice
  const FAR = 3 * sumBound(60);
  test.each(ACTIVATIONS)('%s, of any transposes and batch, is what its ops are', (activation) => {
    for (const batch of [1, 3]) {
      for (const transposes of TRANSPOSES) {
        for (const hasBias of [true, false]) {
          const before = living();
          tf.tidy(() => {
            const {a, b, ...attrs} = operands([[batch], [batch]], [13, 60, 22], transposes);
            const bias = tf.linspace(-3, 3, 22);
            const alpha = tf.linspace(-0.5, 0.5, 22);
            const product = tf.matMul(a, b, attrs.transposeA, attrs.transposeB);
            const known = activated(hasBias ? tf.add(product, bias) : product, activation, alpha);
            const inputs = {
              a,
              b,
              bias: hasBias ? bias : undefined,
              preluActivationWeights: activation === 'prelu' ? alpha : undefined,
            };
            const told = {...attrs, activation, leakyreluAlpha: 0.3};
            const found = fused().always(inputs, told);
            expect(found.shape).toEqual(known.shape);
            const apart = Array.from(tf.abs(tf.sub(found, known)).dataSync());
            expect(Math.max(...apart)).toBeLessThanOrEqual(FAR);
            expect(new Set(found.dataSync()).size).toBeGreaterThan(13 * 22 * batch * 0.2);
          });
          expect(living()).toEqual(before);
        }
      }
    }
  });

  const SHAPES: number[][] = [[22], [1, 22], [1, 1, 22], [], [1], [13, 22], [13, 1], [1, 13, 22]];
  test('a bias of any shape that TF.js takes is added as it adds it', () => {
    for (const shape of SHAPES.filter(({length}) => backend !== 'wasm' || length === 1)) {
      for (const activation of ['linear', 'relu', 'relu6', 'elu'] as const) {
        tf.tidy(() => {
          const {a, b, ...attrs} = operands([[1], [1]], [13, 60, 22], [false, true]);
          const bias = tf.randomUniform(shape, -3, 3, 'float32', 5);
          const known = activated(tf.add(tf.matMul(a, b, false, true), bias), activation, bias);
          const found = fused().always({a, b, bias}, {...attrs, activation});
          const apart = Array.from(tf.abs(tf.sub(found, known)).dataSync());
          expect(Math.max(...apart)).toBeLessThanOrEqual(FAR);
        });
      }
    }
  });

  test.each(ACTIVATIONS)('NaN and infinities come out of %s as of TF.js', (activation) => {
    tf.tidy(() => {
      const odd = [NaN, Infinity, -Infinity, 2, -1, 0, 1];
      const a = tf.tensor(odd.flatMap((x) => [x, 0, 1]), [1, 7, 3]); // prettier-ignore
      const b = tf.tensor([1, 0, -1, 0, 1, Infinity, 0.5, -4, 2, 1, 0, -9], [1, 3, 4]);
      const bias = tf.tensor([0, 8, -0.5, 0.25]);
      const preluActivationWeights = activation === 'prelu' ? tf.tensor([0.5, -2, 0, 1]) : undefined; // prettier-ignore
      const attrs = {transposeA: false, transposeB: false, activation, leakyreluAlpha: 0.3};
      const inputs = {a, b, bias, preluActivationWeights};
      const known = Array.from(fused().theirs(inputs, attrs).dataSync());
      const found = Array.from(fused().always(inputs, attrs).dataSync());
      expect(found.map((x) => x + 0)).toEqual(known.map((x) => x + 0));
      expect(known.some((x) => !Number.isFinite(x) || x === 6)).toBe(true);
    });
  });

  test('a dense layer, its gradients and its bias are those of TF.js', () => {
    tf.tidy(() => {
      const {a, b} = operands([[], []], [50, 30, 20], [false, false]);
      const bias = tf.linspace(-1, 1, 20) as tf.Tensor;
      const dy = tf.randomUniform([50, 20], -1, 1, 'float32', 9);
      const dense = (a: tf.Tensor, b: tf.Tensor, bias: tf.Tensor) =>
        tf.fused.matMul({a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias});
      const run = () => {
        const {value, grads} = tf.valueAndGrads(dense)([a, b, bias], dy);
        return [value, ...grads].flatMap((x) => Array.from(x.dataSync()));
      };
      const [known, found] = [run(), withOurs(backend, run)];
      const apart = found.map((value, at) => Math.abs(value - known[at]));
      expect(Math.max(...apart)).toBeLessThanOrEqual(2 * sumBound(50));
    });
  });

  if (backend === 'wasm')
    test.each([
      ['transposed', [1, 5, 100], [false, true]],
      ['in a batch', [2, 5, 10], [false, false]],
    ] as const)('a bias of a product that is %s, which TF.js gets wrong, is right', (_, [batch, rows, steps], transposes) => {
      tf.tidy(() => {
        const {a, b, ...attrs} = operands([[batch], [batch]], [rows, steps, 6], transposes); // prettier-ignore
        const bias = tf.linspace(1, 2, 6);
        const {data} = multiplied({a, b, ...attrs});
        const want = Array.from(data, (sum, at) => sum + 1 + (at % 6) / 5);
        const worst = (c: tf.Tensor) => Math.max(...Array.from(c.dataSync(), (x, at) => Math.abs(x - want[at]))); // prettier-ignore
        const told = {...attrs, activation: 'linear'};
        expect(worst(fused().theirs({a, b, bias}, told))).toBeGreaterThan(0.1);
        const {shipped, handedOn} = fused();
        expect(worst(shipped({a, b, bias}, told))).toBeLessThan(1e-5);
        expect(handedOn).not.toHaveBeenCalled();
      });
    }); // prettier-ignore
});
