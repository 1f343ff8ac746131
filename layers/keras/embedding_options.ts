import * as tf from '@tensorflow/tfjs';

import {fail} from '../../src/check/errors';
import {WeightMakers, seeded} from './weight_options';

type EmbeddingArgs = Parameters<typeof tf.layers.embedding>[0];

/** Options of embedded vectors, as in tf.layers.embedding. */
export interface EmbeddingWeightArgs {
  /** Default `'randomUniform'`. */
  embeddingsInitializer?: EmbeddingArgs['embeddingsInitializer'] | null;
  /** Default: none. */
  embeddingsRegularizer?: EmbeddingArgs['embeddingsRegularizer'] | null;
}

/** These options, read by one of TF.js's own layers as {@link WeightOptions} are. */
export class EmbeddingOptions {
  private readonly reader: tf.layers.Layer;

  /** @throws if TF.js does not know what an option names */
  constructor(fn: string, args: EmbeddingWeightArgs) {
    const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value != null));
    try {
      this.reader = tf.layers.embedding({
        ...given,
        ...{inputDim: 1, outputDim: 1, name: 'weight_options'},
      });
    } catch {
      fail(fn, 'embeddingsInitializer and embeddingsRegularizer must be what tf.layers.embedding takes', args); // prettier-ignore
    }
  }

  makers(seed: number | null): WeightMakers {
    const fields = this.reader as unknown as Record<string, never>;
    const makers = {
      initializer: fields.embeddingsInitializer,
      regularizer: fields.embeddingsRegularizer,
    };
    return seeded(makers, seed);
  }

  /** As model.json holds them. */
  getConfig(): tf.serialization.ConfigDict {
    const {embeddingsInitializer, embeddingsRegularizer} = this.reader.getConfig();
    return {embeddingsInitializer, embeddingsRegularizer: embeddingsRegularizer ?? null};
  }
}
