import * as tf from '@tensorflow/tfjs';

import {refuse} from '../src/check/errors';
import {DynamicPositionBias} from '../layers/dynamic_position_bias';
import {HyperConnection} from '../layers/hyper_connection';
import {LocalTransformerBlock} from '../layers/local_transformer_block';
import {ResidualStreams, StreamSum} from '../layers/residual_streams';
import {TokenEmbedding} from '../layers/token_embedding';
import {TokenLogits} from '../layers/token_logits';

/** The layers of a model that {@link localTransformer} made. */
export interface Parts {
  /** Of ids; null in an encoder of vectors. */
  embedding: TokenEmbedding | null;
  /** The learned bias by distance, which all blocks share. */
  positionBias: DynamicPositionBias | null;
  /** The blocks in their order, each with the layer of the user's own before it. */
  blocks: {inserted: HyperConnection | null; block: LocalTransformerBlock}[];
  /** S, the residual streams. */
  streams: number;
  /** Null in an encoder of vectors. */
  logits: TokenLogits | null;
}

/**
 * Takes a model apart, a fresh one or one that tf.loadLayersModel has read.
 *
 * @throws RangeError if it is none of {@link localTransformer}'s
 */
export function partsOf(fn: string, model: tf.LayersModel): Parts {
  const rule = 'model must be one that localTransformer made, or tf.loadLayersModel of one';
  if (!(model instanceof tf.LayersModel)) refuse(fn, rule);
  const parts: Parts = {embedding: null, positionBias: null, blocks: [], streams: 1, logits: null};
  let inserted: HyperConnection | null = null;
  for (const layer of inOrder(model)) {
    if (layer instanceof TokenEmbedding) parts.embedding = layer;
    else if (layer instanceof DynamicPositionBias) parts.positionBias = layer;
    else if (layer instanceof HyperConnection) inserted = layer;
    else if (layer instanceof TokenLogits) parts.logits = layer;
    else if (layer instanceof LocalTransformerBlock) {
      parts.blocks.push({inserted, block: layer});
      parts.streams = layer.config.streams;
      inserted = null;
    } else if (!isOther(layer)) {
      refuse(fn, `${rule}; got one with a ${layer.getClassName()}`);
    }
  }
  if (parts.blocks.length === 0) refuse(fn, `${rule}; got one without a LocalTransformerBlock`);
  return parts;
}

function isOther(layer: tf.layers.Layer): boolean {
  return (
    layer instanceof ResidualStreams ||
    layer instanceof StreamSum ||
    layer.getClassName() === 'InputLayer'
  );
}

/** The layers from the input to the output, along the first input of each, and the position bias. */
function inOrder(model: tf.LayersModel): tf.layers.Layer[] {
  const onTheWay: tf.layers.Layer[] = [];
  for (let x: tf.SymbolicTensor | undefined = model.outputs[0]; x; x = x.inputs[0]) {
    onTheWay.unshift(x.sourceLayer);
  }
  return [...onTheWay, ...model.layers.filter((layer) => !onTheWay.includes(layer))];
}
