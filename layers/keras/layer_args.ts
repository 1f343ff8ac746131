import * as tf from '@tensorflow/tfjs';

import {failType} from '../../src/check/errors';
import {checkPlain} from '../../src/check/options';

/** What every tf.layers layer takes, by a name that @tensorflow/tfjs does not export. */
export type LayerArgs = NonNullable<ConstructorParameters<typeof tf.layers.Layer>[0]>;

const LAYER_OPTIONS = [
  ...['name', 'trainable', 'inputShape', 'batchInputShape', 'batchSize', 'dtype', 'inputDType'],
  ...['weights', 'customObjects', 'updatable'], // the last two are added when a model is loaded
];

/**
 * Tells a layer's own options, and unknown ones, for their reader to judge, from those that every
 * layer has; `example` is one of its own.
 */
export function splitArgs<T extends LayerArgs>(
  fn: string,
  args: T,
  example: string,
): {own: Omit<T, keyof LayerArgs>; base: LayerArgs} {
  checkPlain(fn, args, example);
  const [base, own] = splitByName(args, LAYER_OPTIONS);
  return {own: own as T, base};
}

/** The options of these names, and the others. */
export function splitByName(options: object, names: readonly string[]): [object, object] {
  const entries = Object.entries(options);
  return [true, false].map((named) =>
    Object.fromEntries(entries.filter(([name]) => names.includes(name) === named)),
  ) as [object, object];
}

/** TF.js gives one shape for one input and a list of shapes for several. */
export function shapeList(fn: string, shapes: tf.Shape | tf.Shape[]): tf.Shape[] {
  if (!Array.isArray(shapes)) failType(fn, 'a shape must be an array such as [null, n, d]', shapes);
  return Array.isArray(shapes[0]) ? (shapes as tf.Shape[]) : [shapes as tf.Shape];
}
