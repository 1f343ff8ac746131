/**
 * The parameters of a localTransformer by the names of the original's state_dict, for tests. It shares
 * nothing with models/torch_names.ts, which is tested against it.
 */
import * as tf from '@tensorflow/tfjs';

import {partsOf} from '../../models/parts';
import {StateDict, transposed} from './naive_transformer';

export interface Parameter {
  variable: tf.LayerVariable;
  /** Whether the original has it transposed. */
  transposed: boolean;
}

const RENAMED: [from: RegExp, to: string][] = [
  [/^tokens$/, 'token_emb.weight'],
  [/^positions$/, 'pos_emb.weight'],
  [/^mlp\/(\d)\//, 'dynamic_pos_bias.mlp.$1.'],
  [/^logits\/norm\//, 'to_logits.0.'],
  [/^logits\/kernel$/, 'to_logits.1.kernel'],
  [/streams\/gamma$/, 'norm.gamma_'],
  [/streams\//, ''],
  [/^attention\/(?=norm\/|to_|q_scale|k_scale)/, 'attention/branch.'],
  [/^feed_forward\/norm\//, 'feed_forward/branch.0.'],
  [/^feed_forward\/to_hidden\//, 'feed_forward/branch.1.'],
  [/^feed_forward\/to_out\//, 'feed_forward/branch.4.'],
  [/to_v_gate\//, 'to_v_gate.0.'],
  [/^attention\//, '0.'],
  [/^feed_forward\//, '1.'],
  [/\//, '.'],
  [/(gamma|kernel)$/, 'weight'],
  [/beta$/, 'bias'],
  [/static_bias$/, 'static_beta'],
  [/gamma_$/, 'gamma'],
];

const renamed = (name: string) =>
  RENAMED.reduce((text, [from, to]) => text.replace(from, to), name);

export function parametersByTorchName(model: tf.LayersModel): Map<string, Parameter> {
  const {embedding, positionBias, blocks, logits} = partsOf('test', model);
  const found = new Map<string, Parameter>();
  const add = (prefix: string, own: string, variable: tf.LayerVariable) =>
    found.set(prefix + renamed(own), {variable, transposed: own.endsWith('kernel')});

  for (const layer of [embedding, positionBias]) {
    for (const [own, variable] of layer?.parameters ?? []) add('', own, variable);
  }
  for (const [at, {inserted, block}] of blocks.entries()) {
    const before = `global_layers.${at}.`;
    for (const [own, variable] of inserted?.parameters ?? []) {
      add(before, `streams/${own}`, variable);
    }
    for (const variable of inserted?.layer.weights ?? []) {
      add(`${before}branch.`, variable.originalName.split('/').pop()!, variable);
    }
    for (const [own, variable] of block.parameters) add(`layers.${at}.`, own, variable);
  }
  for (const [own, variable] of logits?.parameters ?? []) add('', `logits/${own}`, variable);
  return found;
}

/** Writes every parameter; throws unless the names and the shapes are the model's. */
export function writeStateDict(model: tf.LayersModel, weights: StateDict): void {
  const parameters = parametersByTorchName(model);
  expect([...parameters.keys()].sort()).toEqual(Object.keys(weights).sort());
  expect(new Set([...parameters.values()].map(({variable}) => variable)).size).toBe(
    model.weights.length,
  );
  for (const [name, {variable, transposed: turned}] of parameters) {
    const {shape, data} = turned ? transposed(weights[name]) : weights[name];
    expect([name, variable.shape]).toEqual([name, shape]);
    const value = tf.tensor(Float32Array.from(data), [...shape]);
    variable.write(value);
    value.dispose();
  }
}

/** What a fixture keeps of a parameter's gradient: that, or the sums of its rows and of its columns. */
export function asKept(gradient: tf.Tensor, {transposed: turned}: Parameter) {
  return {
    whole: () => (turned ? tf.transpose(gradient) : tf.clone(gradient)),
    rows: () => tf.sum(gradient, turned ? 0 : 1),
    columns: () => tf.sum(gradient, turned ? 1 : 0),
  };
}
