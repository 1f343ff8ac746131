/** LocalMHA in jax-js: causal, one window back, exact, with rotary embedding. */
import type {Jax, JaxArray} from '../candidates/peers/jax_library';

const MASKED_SCORE = -1e9;
const THETA = 10_000;

export interface Shape {
  batch: number;
  length: number;
  heads: number;
  dimHead: number;
  window: number;
}

/** What does not depend on the input. */
export interface Tables {
  /** Added to the scores: [1, windows, w, 2w] */
  mask: JaxArray;
  /** Of the rotary angles: [n, d] */
  cos: JaxArray;
  sin: JaxArray;
}

/** qkv [B · n, 3 · h · d] -> [B · n, h · d] */
export function attend({numpy: np, nn}: Jax, qkv: JaxArray, tables: Tables, shape: Shape) {
  const {batch, length, heads, dimHead, window} = shape;
  const inner = heads * dimHead;
  const windows = length / window;
  const rows = batch * heads;
  const headsOf = (from: number) =>
    qkv.ref
      .slice([], [from, from + inner])
      .reshape([batch, length, heads, dimHead])
      .transpose([0, 2, 1, 3])
      .reshape([rows, length, dimHead]);
  const rotated = (x: JaxArray) => {
    const first = x.ref.slice([], [], [0, dimHead / 2]);
    const second = x.ref.slice([], [], [dimHead / 2, dimHead]);
    const turned = np.concatenate([second.mul(-1), first], 2);
    return x.mul(tables.cos.ref).add(turned.mul(tables.sin.ref));
  };
  const context = (x: JaxArray) => {
    const own = x.reshape([rows, windows, window, dimHead]);
    const padded = np.pad(own.ref, [[0, 0], [1, 0], [0, 0], [0, 0]]); // prettier-ignore
    return np.concatenate([padded.slice([], [0, windows], [], []), own], 2);
  };
  const queries = rotated(headsOf(0)).mul(dimHead ** -0.5).reshape([rows, windows, window, dimHead]); // prettier-ignore
  const keys = context(rotated(headsOf(inner)));
  const values = context(headsOf(2 * inner));
  qkv.dispose();
  const scores = np.matmul(queries, np.swapaxes(keys, 2, 3)).add(tables.mask.ref);
  return np
    .matmul(nn.softmax(scores, -1), values)
    .reshape([batch, heads, length, dimHead])
    .transpose([0, 2, 1, 3])
    .reshape([batch * length, inner]);
}

export function tablesOf({numpy: np}: Jax, {length, dimHead, window}: Shape): Tables {
  const mask = Float32Array.from({length: length * 2 * window}, (_, index) => {
    const query = Math.floor(index / (2 * window));
    const key = (Math.floor(query / window) - 1) * window + (index % (2 * window));
    return key > query || key < 0 || query - key > window ? MASKED_SCORE : 0;
  });
  const angles = Array.from({length: length * dimHead}, (_, index) => {
    const channel = index % (dimHead / 2);
    return Math.floor(index / dimHead) / THETA ** ((2 * channel) / dimHead);
  });
  const table = (of: (angle: number) => number) =>
    np.array(Float32Array.from(angles, of)).reshape([length, dimHead]);
  const windows = length / window;
  return {
    mask: np.array(mask).reshape([1, windows, window, 2 * window]),
    cos: table(Math.cos),
    sin: table(Math.sin),
  };
}
