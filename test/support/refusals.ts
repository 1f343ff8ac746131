/** What holds of every bad call: one sentence, at once; nothing allocated, nothing changed. */
import * as tf from '@tensorflow/tfjs';

import {living} from './close';

/** Makes the tensors of one bad call, and knows afterwards whether they are as they were. */
export class Given {
  private readonly made: {x: tf.Tensor; values: (number | string)[]}[] = [];
  private count = 0;

  f32(...shape: number[]): tf.Tensor {
    return this.of('float32', ...shape);
  }

  bool(...shape: number[]): tf.Tensor {
    return this.of('bool', ...shape);
  }

  of(dtype: tf.DataType, ...shape: number[]): tf.Tensor {
    const size = shape.reduce((product, length) => product * length, 1);
    const values = Array.from({length: size}, (_, i) => (dtype === 'string' ? `${i}` : i % 2));
    const x = tf.tensor(values as number[], shape, dtype);
    this.count++;
    this.made.push({x, values});
    return x;
  }

  /** `x`, disposed. */
  gone(x: tf.Tensor): tf.Tensor {
    this.made.splice(
      this.made.findIndex((made) => made.x === x),
      1,
    );
    x.dispose();
    return x;
  }

  get allocations(): number {
    return this.count;
  }

  /** Throws unless all are alive with their values; then disposes them. */
  release(): void {
    for (const {x, values} of this.made) expect([...x.dataSync()]).toEqual(values);
    tf.dispose(this.made.map(({x}) => x));
  }
}

export type BadCall = (given: Given) => unknown;

/**
 * Expects a RangeError or TypeError with this message, no warning, no tensor made even for a
 * moment, no tensor of the caller's changed, and none left.
 */
export function expectRefusal(call: BadCall, message: string | RegExp): void {
  const before = living();
  const given = new Given();
  const warn = jest.spyOn(console, 'warn').mockImplementation();
  const allocate = jest.spyOn(tf.engine(), 'trackTensor');
  const error = thrownBy(() => call(given));
  const [warnings, allocations] = [warn.mock.calls.length, allocate.mock.calls.length];
  warn.mockRestore();
  allocate.mockRestore();

  if (typeof message === 'string') expect(error?.message).toBe(message);
  else expect(error?.message).toMatch(message);
  expect(error instanceof RangeError || error instanceof TypeError).toBe(true);
  expect({warnings, allocations}).toEqual({warnings: 0, allocations: given.allocations});
  given.release();
  expect(living()).toEqual(before);
}

/**
 * The same of a layer, which still has no weights and works with good input, [2, 8, 6].
 *
 * @param says the sentence after the layer's name, or all of it as an expression
 */
export function expectRefusalBy(layer: tf.layers.Layer, call: BadCall, says: string | RegExp) {
  expectRefusal(call, typeof says === 'string' ? `[${layer.getClassName()}] ${says}.` : says);
  expect(layer.weights).toEqual([]);
  const x = tf.ones([2, 8, 6]);
  const out = layer.apply(x) as tf.Tensor;
  expect(out.shape).toEqual(x.shape);
  expect(out.dataSync().every(Number.isFinite)).toBe(true);
  tf.dispose([x, out, ...layer.weights.map((weight) => weight.read())]);
}

function thrownBy(call: () => unknown): Error | null {
  try {
    call();
    return null;
  } catch (error) {
    return error as Error;
  }
}
