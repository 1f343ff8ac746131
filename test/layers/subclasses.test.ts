/** Layers of the user's own that call ours with more than they were called with. */
import * as tf from '@tensorflow/tfjs';

import {LocalAttention} from '../../src';
import {describeSynchronous, useBackend} from '../support/backends';

type Inputs = tf.Tensor | tf.Tensor[];
type Kwargs = Record<string, unknown>;

const tokens = () => tf.randomNormal([1, 6, 4], 0, 1, 'float32', 3);
const mask = () => tf.tensor2d([1, 0, 0, 1, 1, 0], [1, 6], 'bool');
const values = (x: unknown) => (x as tf.Tensor).dataSync();
const first = (x: Inputs) => (Array.isArray(x) ? x[0] : x);

class AlwaysDrops extends LocalAttention {
  override call(x: Inputs, kwargs: Kwargs) {
    return super.call(x, {...kwargs, training: true});
  }
}

class OtherWindow extends LocalAttention {
  override call(x: Inputs, kwargs: Kwargs) {
    return super.call(x, {...kwargs, windowSize: 3});
  }
}

class Masks extends LocalAttention {
  override call(x: Inputs, kwargs: Kwargs) {
    return super.call([first(x), mask()], kwargs);
  }
}

describeSynchronous('%s', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(['auto', 'composite'] as const)('%s: a subclass turns training on', (by) => {
    const args = {windowSize: 2, dropout: 0.5, seed: 5, implementation: by};
    const x = tokens();
    const dropped = values(new LocalAttention(args).apply(x, {training: true}));
    expect(values(new AlwaysDrops(args).apply(x))).toEqual(dropped);
  });

  test('a subclass chooses the window', () => {
    const args = {windowSize: 2, useXpos: true};
    const x = tokens();
    const wide = values(new LocalAttention(args).apply(x, {windowSize: 3}));
    expect(values(new OtherWindow(args).apply(x))).toEqual(wide);
  });

  test('a subclass adds a mask', () => {
    const x = tokens();
    const masked = values(new LocalAttention({windowSize: 2}).apply([x, mask()]));
    expect(values(new Masks({windowSize: 2}).apply(x))).toEqual(masked);
  });

  test('a call that fails before it begins leaves nothing to the next one', () => {
    const layer = new LocalAttention({windowSize: 2});
    layer.build = () => {
      throw new Error('not now');
    };
    const x = tokens();
    expect(() => layer.apply(x)).toThrow('not now');
    x.dispose();
    expect(() => layer.call(x)).toThrow('q must not be disposed');
  });
});
