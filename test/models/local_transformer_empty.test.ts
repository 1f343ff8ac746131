/**
 * Sequences of no tokens, by TF.js's own kernels, some of which fail at empty tensors or answer with what
 * lay in memory. (Faster kernels are registered for good, so this is a file of its own.)
 */
import * as tf from '@tensorflow/tfjs';

import {languageModelLoss, localTransformer} from '../../src';
import {describeSynchronous, useBackend} from '../support/backends';
import {living} from '../support/close';

const [B, V, D] = [3, 13, 12];

describeSynchronous('%s:', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each([1, 2, 4])(
    'no tokens have no logits, and gradients of zero, with %i streams',
    async (numResidualStreams) => {
      const before = living();
      const model = localTransformer({
        ...{numTokens: V, maxSeqLen: 9, dim: D, depth: 2, heads: 2, dimHead: 4},
        ...{localAttnWindowSize: 3, numResidualStreams},
      });
      tf.fill([3000], 7).dispose(); // what a kernel that computes nothing may find
      const x = tf.zeros([B, 0], 'int32');
      const logits = model.predict(x) as tf.Tensor;
      expect(logits.shape).toEqual([B, 0, V]);

      const loss = () => tf.sum(model.apply(x, {training: true}) as tf.Tensor) as tf.Scalar;
      const {value, grads} = tf.variableGrads(loss);
      expect(Object.keys(grads)).toHaveLength(model.trainableWeights.length);
      const largest = tf.tidy(() =>
        tf.stack(Object.values(grads).map((grad) => tf.max(tf.abs(grad)))),
      );
      expect((await largest.data()).every((one) => one === 0)).toBe(true);

      const asked = languageModelLoss(logits, x);
      expect(await asked.data()).toEqual(Float32Array.of(NaN));
      tf.dispose([x, logits, value, grads, largest, asked]);
      model.dispose();
      expect(living()).toEqual(before);
    },
  );
});
