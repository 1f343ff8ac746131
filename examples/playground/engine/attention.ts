/** Which characters each head of each layer looks at: the weights of softmax(QKᵀ). */

/** The weights of a text of n characters, at most {@link LONGEST}: the last ones. */
export interface Attention {
  /** The characters that the weights are of. */
  text: string;
  /** By block, first to last, and in it by head. */
  layers: {heads: HeadWeights[]}[];
}

/** [n, n]: the row is the query, the column its key; 0 where the query does not see the key. */
export type HeadWeights = Float32Array;

/** The window that the weights are taken in, where it is not the model's own. */
export interface WindowOptions {
  windowSize?: number;
  lookBackward?: number;
  lookForward?: number;
  causal?: boolean;
  exactWindowSize?: boolean;
  positions?: 'rotary' | 'xpos' | 'none';
  sharedQk?: boolean;
}

/** [n, n] weights are drawn and sent: this many characters are enough for both. */
export const LONGEST = 256;

/** What views ask their worker, which has begun with `startBackend`: `(await engine.attention()).attentionOf(…)`. */
export const attention = {
  /** @param window where it is not the model's own: the same weights, seen through another window */
  async attentionOf(text: string, window: WindowOptions = {}): Promise<Attention> {
    throw new Error(`there is no model yet for ${text} ${JSON.stringify(window)}`);
  },
};
