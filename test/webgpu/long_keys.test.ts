/** With sharedQk keys are divided by their norms, also those whose square is beyond float32. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {expectClose, tensor} from '../support/close';
import {generator, uniform} from '../support/inputs';
import {onWebgpu} from './on_webgpu';

onWebgpu('a shared key whose square is beyond float32', () => {
  test('is seen, as by the composite', async () => {
    const random = generator(4);
    const [q, k, v, dout] = Array.from({length: 4}, () => tensor(uniform(random, [1, 14, 6])));
    const ofFifth = tf.tensor1d(Array.from({length: 14}, (_, j) => (j === 5 ? 1e21 : 1)));
    const long = tf.mul(k, tf.reshape(ofFifth, [1, 14, 1]));
    const by = (implementation: 'fused' | 'composite') => {
      const config = {windowSize: 7, sharedQk: true, useRotaryPosEmb: false, implementation};
      const {value, grads} = tf.valueAndGrads((q, k, v) => localAttention(q, k, v, config))(
        [q, long, v],
        dout,
      );
      return [value, ...grads];
    };
    const wanted = by('composite');
    for (const [at, got] of by('fused').entries()) {
      const want = {shape: got.shape, data: await wanted[at].data()};
      await expectClose(['out', 'dq', 'dk', 'dv'][at], got, want, 1e-5);
    }
  });
});
