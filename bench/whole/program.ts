/** A model as other libraries can build it: its layers in order, each with its weights. */
import * as tf from '@tensorflow/tfjs';

export interface Weight {
  name: string;
  shape: number[];
  values: Float32Array;
}

export interface LayerOf {
  name: string;
  /** The class that TF.js registers it by. */
  kind: string;
  /** As TF.js saves it, in the names of Keras. */
  config: Record<string, unknown>;
  /** The layers whose outputs it reads. */
  inputs: string[];
  weights: Weight[];
}

interface Saved {
  name: string;
  class_name: string;
  config: Record<string, unknown>;
  inbound_nodes: [string, ...unknown[]][][];
}

/** The last one gives the logits. */
export function programOf(model: tf.LayersModel): LayerOf[] {
  const {config} = model.toJSON(null, false) as unknown as {config: {layers: Saved[]}};
  return config.layers.map(({name, class_name: kind, config, inbound_nodes: [inbound = []]}) => ({
    name,
    kind,
    config,
    inputs: inbound.map(([from]) => from),
    weights: model.getLayer(name).weights.map((weight) => ({
      name: weight.originalName.slice(name.length + 1),
      shape: weight.shape as number[],
      values: weight.read().dataSync() as Float32Array,
    })),
  }));
}
