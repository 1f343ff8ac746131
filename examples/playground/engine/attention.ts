/** Attention weights of the shipped model, for the page. */
import {Attention, WindowOptions, attentionIn} from './attention_weights';
import {loadLanguage} from './language';

export type {Attention, HeadWeights, WindowOptions} from './attention_weights';

/**
 * What views ask their worker, which has begun with `startBackend`:
 * `(await engine.attention()).attentionOf(…)`.
 */
export const attention = {
  /**
   * @param text characters that the model knows; others are read as one that stands for all of them
   * @param window of the weights, where it is not the model's own: the queries and keys that it has
   *     made in its own window are then seen through another
   */
  async attentionOf(text: string, window: WindowOptions = {}): Promise<Attention> {
    return attentionIn(await loadLanguage(), text, window);
  },
};
