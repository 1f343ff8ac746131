import * as tf from '@tensorflow/tfjs';

/**
 * The model that {@link localTransformer} makes of tokens: a tf.LayersModel in every respect but one. A
 * loss that is a function judges its targets itself, where `fit`, `trainOnBatch` and `evaluate` of
 * TF.js want them shaped like the output: the targets of {@link languageModelLoss} are the ids [B, n],
 * and the output is [B, n, numTokens].
 */
export class LanguageModel extends tf.LayersModel {
  /** @nocollapse */
  static override className = 'LanguageModel';

  override compile(args: tf.ModelCompileArgs): void {
    super.compile(args);
    const checked = this as unknown as {feedOutputShapes: (tf.Shape | null)[]};
    // one loss for the one output: alone, in a list or by the output's name
    const losses = typeof args.loss === 'object' ? Object.values(args.loss) : [args.loss];
    if (losses.every((loss) => typeof loss === 'function')) checked.feedOutputShapes = [null];
  }
}

tf.serialization.registerClass(LanguageModel);
