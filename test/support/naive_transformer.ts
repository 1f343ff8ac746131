/**
 * The local transformer by its definition: one token at a time, in float64, with loops.
 *
 * src/nn and the layers are measured against this file, so it shares no code with them, and it is
 * neither fast nor clever. It is itself measured against the PyTorch original's answers, and takes the
 * original's state_dict: a matrix is [out, in].
 *
 * Sizes: B sequences of n tokens, D size of a token, S streams, F hidden size, V tokens there are.
 */
import {erf} from './erf';
import {NaiveMHAConfig, NaiveMHAWeights, NaiveResult, Values, naiveLocalMHA} from './naive';

export interface NaiveTransformerConfig extends Omit<
  NaiveMHAConfig,
  'windowSize' | 'prenorm' | 'useRotaryPosEmb'
> {
  /** Null for an encoder of vectors. */
  numTokens: number | null;
  depth: number;
  localAttnWindowSize: number;
  ffMult?: number;
  useDynamicPosBias?: boolean;
  numResidualStreams?: number;
  absolutePositions?: boolean;
  /** Numbers, from 1, of the blocks with a linear layer before them. */
  insertLayers?: readonly number[];
}

/** By the original's names. */
export type StateDict = Record<string, Values>;

type Row = number[];

/** ids [B, n] -> logits [B, n, V]; without tokens x [B, n, D] -> the same. */
export function naiveTransformer(
  inputs: Values,
  weights: StateDict,
  config: NaiveTransformerConfig,
  mask?: Values,
): NaiveResult {
  const {numTokens, dim, numResidualStreams: count = 4} = config;
  const [batch, n] = inputs.shape;
  const attnBias = config.useDynamicPosBias ? distanceBias(weights, config) : undefined;

  // a token at b * n + i; of each its streams
  let tokens = Array.from({length: batch * n}, (_, at) => {
    const x = embedded(inputs, at, n, weights, config);
    return Array.from({length: count}, () => x);
  });
  for (let layer = 0; layer < config.depth; layer++) {
    if (config.insertLayers?.includes(layer + 1)) {
      tokens = connected(tokens, within(weights, `global_layers.${layer}.`), (xs) =>
        xs.map((x) => linear(x, weights, `global_layers.${layer}.branch`)),
      );
    }
    tokens = connected(tokens, within(weights, `layers.${layer}.0.`), (xs) => {
      const own = ofAttention(within(weights, `layers.${layer}.0.branch.`));
      const x = {shape: [batch, n, dim], data: xs.flat()};
      const {data} = naiveLocalMHA(x, own, ofMHA(config), {mask, attnBias});
      return xs.map((_, at) => Array.from(data.slice(at * dim, (at + 1) * dim)));
    });
    tokens = connected(tokens, within(weights, `layers.${layer}.1.`), (xs) =>
      xs.map((x) => feedForward(x, within(weights, `layers.${layer}.1.branch.`))),
    );
  }
  const rows = tokens.map((streams) => {
    const x = streams.reduce((a, b) => a.map((value, c) => value + b[c]));
    if (numTokens === null) return x;
    return linear(layerNorm(x, weights, 'to_logits.0'), weights, 'to_logits.1');
  });
  return {shape: [batch, n, numTokens ?? dim], data: Float64Array.from(rows.flat())};
}

/**
 * The mean, over the labels that are not `ignoreIndex`, of −log softmax(logits)[label].
 *
 * @param logits [B, n, V]
 * @param ids [B, n + 1], of which the label of token i is that at i + 1
 */
export function naiveLoss(logits: Values, ids: Values, ignoreIndex = -1): number {
  const [batch, n, numTokens] = logits.shape;
  let [sum, count] = [0, 0];
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < n; i++) {
      const label = ids.data[b * (n + 1) + i + 1];
      if (label === ignoreIndex) continue;
      const row = rowOf(logits, b * n + i, numTokens);
      const largest = Math.max(...row);
      const total = row.reduce((sum, value) => sum + Math.exp(value - largest), 0);
      sum += largest + Math.log(total) - row[label];
      count++;
    }
  }
  return sum / count;
}

function embedded(
  inputs: Values,
  at: number,
  n: number,
  weights: StateDict,
  {numTokens, dim, absolutePositions = true}: NaiveTransformerConfig,
): Row {
  if (numTokens === null) return rowOf(inputs, at, dim);
  const token = rowOf(weights['token_emb.weight'], inputs.data[at], dim);
  if (!absolutePositions) return token;
  const position = rowOf(weights['pos_emb.weight'], at % n, dim);
  return token.map((value, c) => value + position[c]);
}

/** f around its hyper-connection, or with one stream r + f(r); f takes a row for each token. */
function connected(tokens: Row[][], weights: StateDict, f: (xs: Row[]) => Row[]): Row[][] {
  if (tokens[0].length === 1) {
    const given = f(tokens.map(([r]) => r));
    return tokens.map(([r], at) => [r.map((value, c) => value + given[at][c])]);
  }
  const mixed = tokens.map((streams) => mix(streams, weights));
  const given = f(mixed.map(({means: [input]}) => input));
  return mixed.map(({means, beta}, at) =>
    beta.map((factor, s) => means[s + 1].map((value, c) => value + factor * given[at][c])),
  );
}

/** Of one token: m_0 … m_S and beta. */
function mix(streams: Row[], weights: StateDict): {means: Row[]; beta: number[]} {
  const [count, dim] = [streams.length, streams[0].length];
  const scalar = (name: string) => weights[name].data[0];
  const alpha: Row[] = [];
  const beta: number[] = [];
  for (const [s, r] of streams.entries()) {
    const length = Math.max(Math.sqrt(r.reduce((sum, x) => sum + x * x, 0)), 1e-12);
    const gamma = weights['norm.gamma'].data;
    const u = r.map((x, c) => (x / length) * Math.sqrt(dim) * (gamma[c] + 1));
    const along = (fn: Values, width: number, t: number) =>
      Math.tanh(u.reduce((sum, x, c) => sum + x * fn.data[c * width + t], 0));
    alpha.push(
      Array.from(
        {length: count + 1},
        (_, t) =>
          along(weights.dynamic_alpha_fn, count + 1, t) * scalar('dynamic_alpha_scale') +
          weights.static_alpha.data[s * (count + 1) + t],
      ),
    );
    beta.push(
      along(weights.dynamic_beta_fn, 1, 0) * scalar('dynamic_beta_scale') +
        weights.static_beta.data[s],
    );
  }
  const means = Array.from({length: count + 1}, (_, t) =>
    Array.from({length: dim}, (_, c) => streams.reduce((sum, r, s) => sum + alpha[s][t] * r[c], 0)),
  );
  return {means, beta};
}

function feedForward(x: Row, weights: StateDict): Row {
  const h = linear(layerNorm(x, weights, '0'), weights, '1');
  const half = h.length / 2;
  const y = h.slice(0, half).map((value, c) => value * gelu(h[half + c]));
  return linear(y, weights, '4');
}

function gelu(x: number): number {
  return (x * (1 + erf(x / Math.SQRT2))) / 2;
}

/** bias[h, a, t] = mlp(|lb · w + a − t|)[h]: [heads, w, C] */
function distanceBias(weights: StateDict, config: NaiveTransformerConfig): NaiveResult {
  const {localAttnWindowSize: window, lookBackward = 1, causal = true, heads = 8} = config;
  const {lookForward = causal ? 0 : 1} = config;
  const context = (1 + lookBackward + lookForward) * window;
  const silu = (x: number) => x / (1 + Math.exp(-x));
  const mlp = (distance: number) => {
    const first = linear([distance], weights, 'dynamic_pos_bias.mlp.0').map(silu);
    const second = linear(first, weights, 'dynamic_pos_bias.mlp.2').map(silu);
    return linear(second, weights, 'dynamic_pos_bias.mlp.4');
  };
  const data = new Float64Array(heads * window * context);
  for (let a = 0; a < window; a++) {
    for (let t = 0; t < context; t++) {
      const byHead = mlp(Math.abs(lookBackward * window + a - t));
      byHead.forEach((value, h) => (data[(h * window + a) * context + t] = value));
    }
  }
  return {shape: [heads, window, context], data};
}

function ofMHA(config: NaiveTransformerConfig): NaiveMHAConfig {
  return {
    causal: true,
    ...config,
    windowSize: config.localAttnWindowSize,
    prenorm: true,
    useRotaryPosEmb: !config.useDynamicPosBias,
  };
}

/** The names and layouts of naive.ts. */
function ofAttention(weights: StateDict): NaiveMHAWeights {
  const gate = weights['to_v_gate.0.weight'];
  return {
    'norm/gamma': weights['norm.weight'],
    'norm/beta': weights['norm.bias'],
    'to_qkv/kernel': transposed(weights['to_qkv.weight']),
    q_scale: weights.q_scale,
    k_scale: weights.k_scale,
    ...(gate && {
      'to_v_gate/kernel': transposed(gate),
      'to_v_gate/bias': weights['to_v_gate.0.bias'],
    }),
    'to_out/kernel': transposed(weights['to_out.weight']),
  };
}

export function transposed({shape: [rows, columns], data}: Values): Values {
  const at = (i: number) => data[(i % rows) * columns + Math.floor(i / rows)];
  return {shape: [columns, rows], data: Array.from({length: rows * columns}, (_, i) => at(i))};
}

function layerNorm(x: Row, weights: StateDict, name: string): Row {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  const [gamma, beta] = [weights[`${name}.weight`].data, weights[`${name}.bias`].data];
  return x.map((value, c) => ((value - mean) / Math.sqrt(variance + 1e-5)) * gamma[c] + beta[c]);
}

/** A row times the transpose of a matrix [out, in], and the bias where there is one. */
function linear(x: Row, weights: StateDict, name: string): Row {
  const {shape, data} = weights[`${name}.weight`];
  const bias = weights[`${name}.bias`]?.data ?? new Float64Array(shape[0]);
  return Array.from({length: shape[0]}, (_, out) =>
    x.reduce((sum, value, c) => sum + value * data[out * shape[1] + c], bias[out]),
  );
}

/** Those whose names begin so, by the rest of their names. */
function within(weights: StateDict, prefix: string): StateDict {
  const found = Object.entries(weights).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, one]) => [name.slice(prefix.length), one]));
}

function rowOf({data}: Values, at: number, width: number): Row {
  return Array.from({length: width}, (_, c) => data[at * width + c]);
}
