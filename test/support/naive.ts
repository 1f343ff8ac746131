/**
 * Local attention by its definition: one query and one key at a time, in float64, with loops.
 *
 * Everything that ships is measured against this file, so it shares no code with what ships, and it
 * is neither fast nor clever. It is itself measured against the PyTorch original's answers.
 *
 * Sizes: b product of the leading axes (an index into them is a `head`), n tokens, d head size,
 * w window, C = (1 + lookBackward + lookForward) * w slots in the context of a window.
 */

export interface Values {
  shape: readonly number[];
  data: ArrayLike<number>;
}

export interface NaiveResult {
  shape: number[];
  data: Float64Array;
}

export interface NaiveConfig {
  windowSize: number;
  causal?: boolean;
  lookBackward?: number;
  lookForward?: number;
  sharedQk?: boolean;
  autopad?: boolean;
  exactWindowsize?: boolean;
  scale?: number;
  useRotaryPosEmb?: boolean;
  useXpos?: boolean;
  xposScaleBase?: number;
}

export interface NaiveInputs {
  /** [B, n], 1 keeps a key; B divides b, and head h reads row ⌊h·B/b⌋. */
  mask?: Values;
  /** [heads, w, C], head h reading row h mod heads; or [w, C]. */
  attnBias?: Values;
  /** Takes the place of the configured window, except in the default of `xposScaleBase`. */
  windowSize?: number;
  /** Dropout: what the weight of (head, query, key) is multiplied by, 0 or 1/(1 − rate). */
  keep?: (head: number, query: number, key: number) => number;
  /**
   * Moves each score by `epsilon` times 2√d · Σ|q_c k_c| + |bias|, which it adds up: that of the key
   * which is `raised`th best of its query (from 0) up, all others down; or 'all' of them up, but
   * none beyond the best.
   */
  rounding?: {epsilon: number; raised: number | 'all'};
}

export interface NaiveGrads {
  dq: NaiveResult;
  dk: NaiveResult;
  dv: NaiveResult;
  dAttnBias?: NaiveResult;
}

const SELF_SCORE = -5e4;
const NORM_EPSILON = 1e-12;
const THETA = 10000;

/** q, k: [..., n, d]; v: [..., n, dv]. Returns [..., n, dv]. */
export function naiveLocalAttention(
  q: Values,
  k: Values,
  v: Values,
  config: NaiveConfig,
  inputs: NaiveInputs = {},
): NaiveResult {
  const p = problem(q, k, v, config, inputs);
  const out = zeros(v.shape);
  for (let head = 0; head < p.heads; head++) {
    for (let i = 0; i < p.tokens; i++) {
      for (const {key, weight, keep} of attend(p, head, i)) {
        add(out, p, head, i, row(v, p, head, key), weight * keep);
      }
    }
  }
  return out;
}

/** The gradient of Σ out·dout with respect to each input; dout: [..., n, dv]. */
export function naiveLocalAttentionGrad(
  q: Values,
  k: Values,
  v: Values,
  config: NaiveConfig,
  inputs: NaiveInputs,
  dout: Values,
): NaiveGrads {
  const p = problem(q, k, v, config, inputs);
  const dq = zeros(q.shape);
  const dk = zeros(k.shape);
  const dv = zeros(v.shape);
  const dAttnBias = inputs.attnBias && zeros(inputs.attnBias.shape);

  for (let head = 0; head < p.heads; head++) {
    for (let i = 0; i < p.tokens; i++) {
      const seen = attend(p, head, i);
      const upstream = row(dout, p, head, i);
      const dWeights = seen.map(({key, keep}) => keep * dot(upstream, row(v, p, head, key)));
      // counted from that of the heaviest key, whose own, less the mean, would else be rounded to 0
      const weights = seen.map(({weight}) => weight);
      const heaviest = dWeights[weights.indexOf(Math.max(...weights))];
      const centred = dWeights.map((dWeight) => dWeight - heaviest);
      const mean = dot(weights, centred);
      const query = placedQuery(p, head, i);

      seen.forEach(({key, weight, keep}, index) => {
        add(dv, p, head, key, upstream, weight * keep);
        if (p.sharedQk && key === i) return; // its score is a constant
        const dScore = weight * (centred[index] - mean);
        if (dAttnBias) dAttnBias.data[biasIndex(p, head, i, key)] += dScore;
        add(dq, p, head, i, unplace(p, placedKey(p, head, i, key), querySlot(p, i), 1), dScore);
        add(dk, p, head, key, unplace(p, query, keySlot(p, i, key), -1), dScore);
      });
    }
  }
  for (let index = 0; index < dq.data.length; index++) dq.data[index] *= p.scale;
  if (p.sharedQk) throughNormalisation(p, dk);
  return {dq, dk, dv, ...(dAttnBias && {dAttnBias})};
}

interface Problem {
  q: Values;
  k: Values;
  heads: number;
  tokens: number;
  window: number;
  back: number;
  forward: number;
  causal: boolean;
  exact: boolean;
  sharedQk: boolean;
  scale: number;
  rotary: boolean;
  /** Undefined without xpos. */
  scaleBase?: number;
  mask?: Values;
  attnBias?: Values;
  keep: (head: number, query: number, key: number) => number;
  rounding?: NaiveInputs['rounding'];
}

function problem(
  q: Values,
  k: Values,
  v: Values,
  config: NaiveConfig,
  {mask, attnBias, windowSize, keep = () => 1, rounding}: NaiveInputs,
): Problem {
  const tokens = q.shape[q.shape.length - 2];
  const d = q.shape[q.shape.length - 1];
  const window = windowSize ?? config.windowSize;
  const causal = config.causal ?? false;
  if (`${q.shape}` !== `${k.shape}` || `${q.shape.slice(0, -1)}` !== `${v.shape.slice(0, -1)}`) {
    throw new Error(`[naive] shapes [${q.shape}], [${k.shape}], [${v.shape}] do not agree`);
  }
  if (tokens % window !== 0 && !config.autopad) {
    throw new Error(`[naive] ${tokens} tokens are not a multiple of the window ${window}`);
  }
  const rotary = config.useRotaryPosEmb ?? true;
  if (rotary && d % 2 !== 0) throw new Error(`[naive] rotary needs an even head size, got ${d}`);
  const scaleBase = config.xposScaleBase ?? Math.floor(config.windowSize / 2);
  return {
    q,
    k,
    heads: q.shape.slice(0, -2).reduce((a, b) => a * b, 1),
    tokens,
    window,
    back: config.lookBackward ?? 1,
    forward: config.lookForward ?? (causal ? 0 : 1),
    causal,
    exact: config.exactWindowsize ?? false,
    sharedQk: config.sharedQk ?? false,
    scale: config.scale ?? d ** -0.5,
    rotary,
    scaleBase: config.useXpos ? scaleBase : undefined,
    mask,
    attnBias,
    keep,
    rounding,
  };
}

/** The keys query i sees, each with its softmax weight; empty where it sees none. */
function attend(p: Problem, head: number, i: number) {
  const query = placedQuery(p, head, i);
  const seen: {key: number; score: number; size: number}[] = [];
  // no token beyond n exists: padding a sequence only rounds up the number of windows
  for (let j = 0; j < p.tokens; j++) {
    if (!sees(p, head, i, j)) continue;
    const key = placedKey(p, head, i, j);
    const bias = p.attnBias ? p.attnBias.data[biasIndex(p, head, i, j)] : 0;
    const own = p.sharedQk && i === j;
    const score = own ? SELF_SCORE : dot(query, key) + bias;
    const size =
      own || !p.rounding ? 0 : 2 * Math.sqrt(key.length) * terms(p, query, key) + Math.abs(bias);
    if (score > -Infinity) seen.push({key: j, score, size});
  }
  if (p.rounding) round(seen, p.rounding);

  const largest = Math.max(...seen.map(({score}) => score));
  const total = seen.reduce((sum, {score}) => sum + Math.exp(score - largest), 0);
  return seen.map(({key, score}) => ({
    key,
    weight: Math.exp(score - largest) / total,
    keep: p.keep(head, i, key),
  }));
}

/** What a product adds up, whatever its signs: by channel, or by the pairs that are rotated. */
function terms(p: Problem, query: number[], key: number[]): number {
  if (!p.rotary) return query.reduce((sum, x, c) => sum + Math.abs(x * key[c]), 0);
  const half = query.length / 2;
  const length = (x: number[], c: number) => Math.hypot(x[c], x[c + half]);
  return dot(
    query.slice(0, half).map((_, c) => length(query, c)),
    query.slice(0, half).map((_, c) => length(key, c)),
  );
}

function round(
  seen: {score: number; size: number}[],
  {epsilon, raised}: NonNullable<NaiveInputs['rounding']>,
) {
  const order = [...seen].sort((a, b) => b.score - a.score);
  if (raised === 'all') {
    const most = order[0]?.score;
    const reach = (size: number) => epsilon * (size + order[0].size);
    for (const one of seen) one.score = Math.min(most, one.score + reach(one.size));
  } else {
    for (const one of seen) one.score += (one === order[raised] ? 1 : -1) * epsilon * one.size;
  }
}

function sees(p: Problem, head: number, i: number, j: number): boolean {
  if (p.mask) {
    const batch = Math.floor((head * p.mask.shape[0]) / p.heads);
    if (!p.mask.data[batch * p.tokens + j]) return false;
  }
  const windowsAhead = Math.floor(j / p.window) - Math.floor(i / p.window);
  if (windowsAhead < -p.back || windowsAhead > p.forward) return false;
  if (p.causal && j > i) return false;
  if (!p.exact) return true;
  return i - j <= p.back * p.window && j - i <= p.forward * p.window;
}

/** Where key j stands in the context of query i's window, 0..C−1. */
function keySlot(p: Problem, i: number, j: number): number {
  return j - (Math.floor(i / p.window) - p.back) * p.window;
}

/** Queries stand in the *last* window of the context, wherever their own tokens are. */
function querySlot(p: Problem, i: number): number {
  return (p.back + p.forward) * p.window + (i % p.window);
}

function biasIndex(p: Problem, head: number, i: number, j: number): number {
  const context = (1 + p.back + p.forward) * p.window;
  const heads = p.attnBias!.shape.length === 3 ? p.attnBias!.shape[0] : 1;
  return ((head % heads) * p.window + (i % p.window)) * context + keySlot(p, i, j);
}

function placedQuery(p: Problem, head: number, i: number): number[] {
  const query = row(p.q, p, head, i).map((x) => x * p.scale);
  return place(p, query, querySlot(p, i), 1);
}

function placedKey(p: Problem, head: number, i: number, j: number): number[] {
  const key = row(p.k, p, head, j);
  return place(p, p.sharedQk ? normalised(key) : key, keySlot(p, i, j), -1);
}

/** Rotary and xpos at a slot; queries grow with `power` 1 where keys shrink with −1. */
function place(p: Problem, x: number[], slot: number, power: 1 | -1): number[] {
  return p.rotary ? scaled(p, rotate(x, slot), slot, power) : x;
}

/** The transpose of `place`. Both halves scale alike, so scaling and rotating commute. */
function unplace(p: Problem, x: number[], slot: number, power: 1 | -1): number[] {
  return p.rotary ? scaled(p, rotate(x, -slot), slot, power) : x;
}

function scaled(p: Problem, x: number[], slot: number, power: 1 | -1): number[] {
  if (p.scaleBase === undefined) return x;
  const context = (1 + p.back + p.forward) * p.window;
  const scales = xposScales(x.length, slot, context, p.scaleBase);
  return x.map((value, c) => value * scales[c] ** power);
}

/** x·cos(position·θ) + rotateHalf(x)·sin(position·θ), with rotateHalf(x) = (−x₂, x₁). */
export function rotate(x: number[], position: number): number[] {
  const half = x.length / 2;
  const {cos, sin} = turn(position, half);
  return x.map((value, c) => {
    const other = c < half ? -x[c + half] : x[c - half];
    return value * cos[c % half] + other * sin[c % half];
  });
}

const turns = new Map<string, {cos: number[]; sin: number[]}>();

/** Of each pair of channels; kept, since the same few slots are met by all. */
function turn(position: number, half: number): {cos: number[]; sin: number[]} {
  const key = `${position} ${half}`;
  const found = turns.get(key);
  if (found) return found;
  const angles = Array.from({length: half}, (_, m) => position * THETA ** (-m / half));
  const made = {cos: angles.map(Math.cos), sin: angles.map(Math.sin)};
  turns.set(key, made);
  return made;
}

/** ζ^((slot − ⌊C/2⌋) / scaleBase) for each channel, the second half repeating the first. */
export function xposScales(d: number, slot: number, context: number, scaleBase: number): number[] {
  return Array.from({length: d}, (_, c) => {
    const zeta = (2 * (c % (d / 2)) + 0.4 * d) / (1.4 * d);
    return zeta ** ((slot - Math.floor(context / 2)) / scaleBase);
  });
}

function normalised(x: number[]): number[] {
  const length = Math.max(Math.sqrt(dot(x, x)), NORM_EPSILON);
  return x.map((value) => value / length);
}

/** Turns the gradient of the normalised keys, in place, into that of the keys. */
function throughNormalisation(p: Problem, dk: NaiveResult) {
  for (let head = 0; head < p.heads; head++) {
    for (let j = 0; j < p.tokens; j++) {
      const key = row(p.k, p, head, j);
      const unit = normalised(key);
      const gradient = row(dk, p, head, j);
      const length = Math.sqrt(dot(key, key));
      const along = length > NORM_EPSILON ? dot(unit, gradient) : 0;
      const d = key.length;
      for (let c = 0; c < d; c++) {
        dk.data[(head * p.tokens + j) * d + c] =
          (gradient[c] - along * unit[c]) / Math.max(length, NORM_EPSILON);
      }
    }
  }
}

function zeros(shape: readonly number[]): NaiveResult {
  return {shape: [...shape], data: new Float64Array(shape.reduce((a, b) => a * b, 1))};
}

function row(x: Values, p: {tokens: number}, head: number, token: number): number[] {
  const width = x.shape[x.shape.length - 1];
  const start = (head * p.tokens + token) * width;
  return Array.from({length: width}, (_, c) => x.data[start + c]);
}

function add(
  to: NaiveResult,
  p: {tokens: number},
  head: number,
  token: number,
  x: number[],
  factor: number,
) {
  x.forEach((value, c) => (to.data[(head * p.tokens + token) * x.length + c] += factor * value));
}

function dot(a: number[], b: number[]): number {
  return a.reduce((sum, x, c) => sum + x * b[c], 0);
}

export interface NaiveMHAConfig extends Omit<NaiveConfig, 'autopad' | 'scale'> {
  dim: number;
  dimHead?: number;
  heads?: number;
  prenorm?: boolean;
  qkRmsnorm?: boolean;
  qkScale?: number;
  gateValuesPerHead?: boolean;
}

/** `norm/gamma`, `to_qkv/kernel` and so on; kernels are [in, out]. */
export type NaiveMHAWeights = Record<string, Values>;

/** The multi-head layer; x: [B, n, dim]. Always pads, and exact unless told otherwise. */
export function naiveLocalMHA(
  x: Values,
  weights: NaiveMHAWeights,
  config: NaiveMHAConfig,
  {mask, attnBias}: Pick<NaiveInputs, 'mask' | 'attnBias'> = {},
): NaiveResult {
  const {heads = 8, dimHead = 64, qkScale = 8} = config;
  const [batch, tokens] = x.shape;
  const attention: NaiveConfig = {exactWindowsize: true, ...config, autopad: true};
  if (config.qkRmsnorm) attention.scale = qkScale;

  const q = zeros([batch, heads, tokens, dimHead]);
  const k = zeros([batch, heads, tokens, dimHead]);
  const v = zeros([batch, heads, tokens, dimHead]);
  const gates = zeros([batch, heads, tokens, 1]);
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < tokens; i++) {
      const input = config.prenorm
        ? layerNorm(row(x, {tokens}, b, i), weights)
        : row(x, {tokens}, b, i);
      const qkv = times(input, weights['to_qkv/kernel']);
      const gate = config.gateValuesPerHead ? times(input, weights['to_v_gate/kernel']) : [];
      for (let h = 0; h < heads; h++) {
        const part = (index: number) =>
          qkv.slice((index * heads + h) * dimHead, (index * heads + h + 1) * dimHead);
        const head = b * heads + h;
        add(
          q,
          {tokens},
          head,
          i,
          config.qkRmsnorm ? learned(part(0), weights.q_scale) : part(0),
          1,
        );
        add(
          k,
          {tokens},
          head,
          i,
          config.qkRmsnorm ? learned(part(1), weights.k_scale) : part(1),
          1,
        );
        add(v, {tokens}, head, i, part(2), 1);
        const open = config.gateValuesPerHead
          ? sigmoid(gate[h] + weights['to_v_gate/bias'].data[h])
          : 1;
        add(gates, {tokens}, head, i, [open], 1);
      }
    }
  }

  const attended = naiveLocalAttention(q, k, v, attention, {mask, attnBias});
  const out = zeros([batch, tokens, config.dim]);
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < tokens; i++) {
      const merged = Array.from({length: heads}, (_, h) => {
        const [open] = row(gates, {tokens}, b * heads + h, i);
        return row(attended, {tokens}, b * heads + h, i).map((value) => value * open);
      }).flat();
      add(out, {tokens}, b, i, times(merged, weights['to_out/kernel']), 1);
    }
  }
  return out;
}

function layerNorm(x: number[], weights: NaiveMHAWeights): number[] {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  const {data: gamma} = weights['norm/gamma'];
  const {data: beta} = weights['norm/beta'];
  return x.map((value, c) => ((value - mean) / Math.sqrt(variance + 1e-5)) * gamma[c] + beta[c]);
}

/** qkRmsnorm: unit length, times one learned number for each channel. */
function learned(x: number[], scale: Values): number[] {
  return normalised(x).map((value, c) => value * scale.data[c]);
}

/** A row times a kernel [in, out]. */
function times(x: number[], kernel: Values): number[] {
  const width = kernel.shape[1];
  return Array.from({length: width}, (_, c) =>
    x.reduce((sum, value, r) => sum + value * kernel.data[r * width + c], 0),
  );
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
