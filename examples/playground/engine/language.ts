/** The language model that ships with the page: its alphabet and its weights. */
import type * as tf from '@tensorflow/tfjs';

/** A model with what one must know to speak with it. */
export interface Language {
  model: tf.LayersModel;
  /** The characters that it knows, each once, in the order of their numbers. */
  characters: string;
  encode(text: string): Int32Array;
  decode(ids: Iterable<number>): string;
  /** The characters of `text` that it has never read, each once. */
  missing(text: string): string[];
}
