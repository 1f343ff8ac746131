/** The layers of TF.js in jax-js, tokens by tokens: [B · n, size]. */
import {Skipped} from '../candidate';
import {Shape, Tables, attend} from './jax_attention';
import type {Jax, JaxArray} from '../candidates/peers/jax_library';
import type {LayerOf} from './program';

interface Call {
  inputs: JaxArray[];
  weights: Record<string, JaxArray>;
  config: LayerOf['config'];
  tables: Tables;
}

/** Weights of all layers and one-hot tokens [B · n, V] -> logits [B · n, V]. */
export type Logits = (weights: JaxArray[], tokens: JaxArray, tables: Tables) => JaxArray;

/** @throws Skipped if there is a layer that is not among these */
export function logitsOf(library: Jax, layers: readonly LayerOf[], shape: Shape): Logits {
  const known = layersOf(library, shape);
  const unknown = layers.find(({kind}) => kind !== 'InputLayer' && !(kind in known));
  if (unknown) throw new Skipped(`it has no ${unknown.kind} here`);
  return (parameters, tokens, tables) => {
    const outputs = new Map<string, JaxArray>();
    const uses = new Map<string, number>();
    for (const name of layers.flatMap(({inputs}) => inputs)) uses.set(name, (uses.get(name) ?? 0) + 1); // prettier-ignore
    const use = (name: string) => {
      uses.set(name, uses.get(name)! - 1);
      return uses.get(name) ? outputs.get(name)!.ref : outputs.get(name)!;
    };
    let at = 0;
    let output = tokens;
    for (const {name, kind, inputs, weights: own, config} of layers) {
      const weights = Object.fromEntries(own.map(({name}) => [name, parameters[at++]]));
      if (kind !== 'InputLayer') output = known[kind]({inputs: inputs.map(use), weights, config, tables}); // prettier-ignore
      outputs.set(name, output);
    }
    return output;
  };
}

function layersOf(library: Jax, shape: Shape): Record<string, (call: Call) => JaxArray> {
  const {numpy: np, nn} = library;
  const activations: Record<string, (x: JaxArray) => JaxArray> = {
    linear: (x) => x,
    relu: (x) => nn.relu(x),
    gelu: (x) => nn.gelu(x, {approximate: false}),
  };
  const normalised = (x: JaxArray, epsilon: number, gamma: JaxArray, beta: JaxArray) => {
    const mean = (x: JaxArray) => np.mean(x, -1, {keepdims: true});
    const centred = x.ref.sub(mean(x));
    const variance = mean(centred.ref.mul(centred.ref));
    return centred.div(np.sqrt(variance.add(epsilon))).mul(gamma).add(beta); // prettier-ignore
  };
  return {
    // a product, because the gradient of a look-up is not there
    Embedding: ({inputs: [x], weights}) => np.matmul(x, weights.embeddings),
    Dense({inputs: [x], weights: {kernel, bias}, config}) {
      const product = np.matmul(x, kernel);
      return activations[String(config.activation)](bias ? product.add(bias) : product);
    },
    LayerNormalization: ({inputs: [x], weights: {gamma, beta}, config}) =>
      normalised(x, Number(config.epsilon), gamma, beta),
    LocalMHA({inputs: [x], weights, config, tables}) {
      const {['norm/gamma']: gamma, ['norm/beta']: beta} = weights;
      const input = config.prenorm ? normalised(x, 1e-5, gamma, beta) : x;
      const attended = attend(library, np.matmul(input, weights['to_qkv/kernel']), tables, shape);
      return np.matmul(attended, weights['to_out/kernel']);
    },
    ReLU: ({inputs: [x]}) => nn.relu(x),
    Add: ({inputs: [x, ...others]}) => others.reduce((sum, other) => sum.add(other), x),
  };
}
