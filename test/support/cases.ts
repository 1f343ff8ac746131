/**
 * The one list of cases, shared by oracle, gradient, parity, browser and bench. Sizes are distinct
 * and odd, so that no axis can pass for another; edges are named after what they are the edge of.
 */
import type {NaiveConfig} from './naive';

export interface Case {
  name: string;
  /** Without dropout; `autopad` is said where the length needs it. */
  config: NaiveConfig;
  /** Of q and k, [..., n, d]. */
  shape: number[];
  /** Width of v; d if absent. */
  dv?: number;
  /** [batch, n]: which keys exist. */
  mask?: {batch: number; keeps: (row: number, token: number) => boolean};
  /** [heads, w, C], or [w, C] for null, within 2 of `level`, which may differ; −Infinity where `blind`. */
  bias?: {
    heads: number | null;
    level?: number | ((row: number, slot: number) => number);
    blind?: (row: number, slot: number) => boolean;
  };
  /** The window given at the call. */
  windowSize?: number;
  dropout?: {rate: number; seed: number};
  /** q and k are within ±amplitude; 1 if absent. */
  amplitude?: number;
  /** Of the inputs; by the name if absent. */
  seed?: number;
}

/** Leading axes [2, 3]. */
const LEAD = [2, 3];
const SPARSE = (row: number, token: number) => (5 * row + 3 * token) % 7 > 2;

export const CASES: Case[] = [
  // every mode at odd sizes
  {name: 'odd sizes', config: {windowSize: 11, autopad: true}, shape: [...LEAD, 43, 14]},
  {name: 'odd sizes, causal', config: {windowSize: 16, causal: true, autopad: true}, shape: [...LEAD, 67, 20]}, // prettier-ignore
  {name: 'exact band, both sides', config: {windowSize: 5, exactWindowsize: true}, shape: [...LEAD, 35, 6]}, // prettier-ignore
  {name: 'exact band, causal', config: {windowSize: 5, exactWindowsize: true, causal: true}, shape: [...LEAD, 35, 6]}, // prettier-ignore
  {name: 'exact band, causal, look back 2', config: {windowSize: 3, exactWindowsize: true, causal: true, lookBackward: 2}, shape: [...LEAD, 21, 6]}, // prettier-ignore
  {name: 'exact band, look back 2, look forward 1', config: {windowSize: 3, exactWindowsize: true, lookBackward: 2}, shape: [...LEAD, 21, 6]}, // prettier-ignore
  {name: 'no rotary', config: {windowSize: 5, useRotaryPosEmb: false}, shape: [...LEAD, 25, 7]},
  {name: 'xpos', config: {windowSize: 6, useXpos: true}, shape: [...LEAD, 24, 10]},
  {name: 'xpos, causal, exact, autopad', config: {windowSize: 6, useXpos: true, causal: true, exactWindowsize: true, autopad: true}, shape: [...LEAD, 23, 10]}, // prettier-ignore
  {name: 'xpos of base 7.5, window 3 at the call', config: {windowSize: 6, useXpos: true, xposScaleBase: 7.5, autopad: true}, windowSize: 3, shape: [...LEAD, 25, 10]}, // prettier-ignore
  {name: 'xpos, causal, window 8 at the call', config: {windowSize: 5, useXpos: true, causal: true, autopad: true}, windowSize: 8, shape: [...LEAD, 21, 10]}, // prettier-ignore
  {name: 'shared qk', config: {windowSize: 5, sharedQk: true}, shape: [...LEAD, 25, 6]},
  {name: 'shared qk, causal, autopad', config: {windowSize: 5, sharedQk: true, causal: true, autopad: true}, shape: [...LEAD, 23, 6]}, // prettier-ignore
  {name: 'shared qk, exact, xpos, biased, masked', config: {windowSize: 4, sharedQk: true, exactWindowsize: true, useXpos: true}, shape: [...LEAD, 20, 6], mask: {batch: 2, keeps: SPARSE}, bias: {heads: 3}}, // prettier-ignore
  {name: 'shared qk, a bias as low as a token’s own score', config: {windowSize: 3, sharedQk: true}, shape: [...LEAD, 9, 6], bias: {heads: 3, level: -5e4}}, // prettier-ignore
  {name: 'own scale', config: {windowSize: 5, scale: 1.7}, shape: [...LEAD, 25, 6]},
  {name: 'negative scale', config: {windowSize: 5, scale: -0.6}, shape: [...LEAD, 25, 6]},
  {name: 'scale 0: a plain mean', config: {windowSize: 5, scale: 0}, shape: [...LEAD, 25, 6]},
  {name: 'powers of two', config: {windowSize: 8, causal: true}, shape: [2, 2, 32, 16]},

  // how far a window looks
  {name: 'own window only', config: {windowSize: 5, lookBackward: 0, lookForward: 0}, shape: [...LEAD, 25, 6]}, // prettier-ignore
  {name: 'look back 0, forward 1', config: {windowSize: 5, lookBackward: 0, lookForward: 1}, shape: [...LEAD, 25, 6]}, // prettier-ignore
  {name: 'look back 1, forward 2', config: {windowSize: 4, lookForward: 2, autopad: true}, shape: [...LEAD, 27, 6]}, // prettier-ignore
  {name: 'look back 2, forward 0', config: {windowSize: 4, lookBackward: 2, lookForward: 0, autopad: true}, shape: [...LEAD, 27, 6]}, // prettier-ignore
  {name: 'looks far beyond both ends', config: {windowSize: 4, lookBackward: 6, lookForward: 5, autopad: true}, shape: [...LEAD, 11, 6]}, // prettier-ignore
  {name: 'looks beyond the start, causal, exact', config: {windowSize: 4, lookBackward: 6, causal: true, exactWindowsize: true}, shape: [...LEAD, 8, 6]}, // prettier-ignore
  {name: 'window 1', config: {windowSize: 1}, shape: [...LEAD, 13, 6]},
  {name: 'window 1, causal, exact', config: {windowSize: 1, causal: true, exactWindowsize: true}, shape: [...LEAD, 13, 6]}, // prettier-ignore
  {name: 'window 1, own key only', config: {windowSize: 1, lookBackward: 0, lookForward: 0}, shape: [...LEAD, 13, 6]}, // prettier-ignore
  {name: 'window 1, xpos of base 2', config: {windowSize: 1, useXpos: true, xposScaleBase: 2}, shape: [...LEAD, 13, 6]}, // prettier-ignore
  {name: 'window 2', config: {windowSize: 2, autopad: true}, shape: [...LEAD, 13, 6]},

  // lengths
  {name: 'no tokens', config: {windowSize: 5}, shape: [...LEAD, 0, 6]},
  {name: 'no tokens, biased', config: {windowSize: 5}, shape: [...LEAD, 0, 6], bias: {heads: 3}},
  {name: 'one token', config: {windowSize: 5, autopad: true}, shape: [...LEAD, 1, 6]},
  {name: 'one token, shared qk', config: {windowSize: 5, sharedQk: true, autopad: true}, shape: [...LEAD, 1, 6]}, // prettier-ignore
  {name: 'fewer tokens than the window', config: {windowSize: 5, autopad: true}, shape: [...LEAD, 3, 6]}, // prettier-ignore
  {name: 'as many tokens as the window', config: {windowSize: 5, causal: true}, shape: [...LEAD, 5, 6]}, // prettier-ignore
  {name: 'more keys than the kernels take at once, causal', config: {windowSize: 140, causal: true, autopad: true}, shape: [1, 190, 4], amplitude: 2}, // prettier-ignore
  {name: 'more keys than the kernels take at once', config: {windowSize: 50, autopad: true}, shape: [1, 149, 4], bias: {heads: null}, mask: {batch: 1, keeps: SPARSE}}, // prettier-ignore
  {name: 'queries by sixteens, one over, causal, xpos, masked', config: {windowSize: 66, causal: true, useXpos: true, autopad: true}, shape: [1, 2, 149, 6], dv: 9, mask: {batch: 1, keeps: SPARSE}}, // prettier-ignore
  {name: 'queries by sixteens, exact, shared qk, biased, dropout', config: {windowSize: 68, exactWindowsize: true, sharedQk: true, autopad: true}, shape: [1, 2, 145, 6], bias: {heads: 2}, dropout: {rate: 0.3, seed: 13}}, // prettier-ignore
  {name: 'autopad, bidirectional, one token over', config: {windowSize: 5, autopad: true}, shape: [...LEAD, 16, 6]}, // prettier-ignore

  // shapes
  {name: 'no leading axes', config: {windowSize: 5}, shape: [15, 6]},
  {name: 'one leading axis', config: {windowSize: 5}, shape: [3, 15, 6], bias: {heads: 3}},
  {name: 'three leading axes', config: {windowSize: 5}, shape: [2, 3, 2, 15, 6], mask: {batch: 6, keeps: SPARSE}}, // prettier-ignore
  {name: 'an empty batch', config: {windowSize: 5}, shape: [0, 3, 15, 6], bias: {heads: null}},
  {name: 'wider v', config: {windowSize: 5, causal: true}, shape: [...LEAD, 15, 6], dv: 11},
  {name: 'v of one channel', config: {windowSize: 5}, shape: [...LEAD, 15, 6], dv: 1},
  {name: 'head size 2', config: {windowSize: 5}, shape: [...LEAD, 15, 2]},
  {name: 'head size 1', config: {windowSize: 5, useRotaryPosEmb: false}, shape: [...LEAD, 15, 1], dv: 4}, // prettier-ignore

  // masks and biases
  {name: 'a mask by batch', config: {windowSize: 5, autopad: true}, shape: [...LEAD, 23, 6], mask: {batch: 2, keeps: SPARSE}}, // prettier-ignore
  {name: 'one mask for all, causal', config: {windowSize: 5, causal: true}, shape: [...LEAD, 25, 6], mask: {batch: 1, keeps: SPARSE}}, // prettier-ignore
  {name: 'a mask by head', config: {windowSize: 5}, shape: [...LEAD, 25, 6], mask: {batch: 6, keeps: SPARSE}}, // prettier-ignore
  {name: 'a batch entry masked whole', config: {windowSize: 5}, shape: [...LEAD, 25, 6], mask: {batch: 2, keeps: (row) => row === 0}}, // prettier-ignore
  {name: 'all masked', config: {windowSize: 5, autopad: true}, shape: [...LEAD, 23, 6], mask: {batch: 1, keeps: () => false}}, // prettier-ignore
  {name: 'windows 1 and 2 masked, own window only', config: {windowSize: 5, lookBackward: 0, lookForward: 0}, shape: [...LEAD, 25, 6], mask: {batch: 2, keeps: (_, token) => token < 5 || token >= 15}}, // prettier-ignore
  {name: 'the first keys masked, causal', config: {windowSize: 5, causal: true}, shape: [...LEAD, 25, 6], mask: {batch: 2, keeps: (row, token) => token > 6 + row}}, // prettier-ignore
  {name: 'all masked but the query itself, shared qk', config: {windowSize: 3, sharedQk: true, lookBackward: 0, lookForward: 0}, shape: [...LEAD, 12, 6], mask: {batch: 2, keeps: (row, token) => token % 3 === row}}, // prettier-ignore
  {name: 'bias by head', config: {windowSize: 5, autopad: true}, shape: [...LEAD, 23, 6], bias: {heads: 3}}, // prettier-ignore
  {name: 'bias by batch and head', config: {windowSize: 5}, shape: [...LEAD, 25, 6], bias: {heads: 6}}, // prettier-ignore
  {name: 'one bias for all, causal', config: {windowSize: 5, causal: true}, shape: [...LEAD, 25, 6], bias: {heads: null}}, // prettier-ignore
  {name: 'a bias row of -Infinity', config: {windowSize: 5}, shape: [...LEAD, 25, 6], bias: {heads: 3, blind: (row) => row === 2}}, // prettier-ignore
  {name: 'a bias with holes of -Infinity, xpos, masked', config: {windowSize: 4, useXpos: true, causal: true}, shape: [...LEAD, 20, 6], mask: {batch: 2, keeps: SPARSE}, bias: {heads: 3, blind: SPARSE}}, // prettier-ignore

  // large numbers: scores of 10 000 and more
  {name: 'large logits', config: {windowSize: 5}, shape: [...LEAD, 25, 6], amplitude: 90},
  {name: 'large logits, causal, masked', config: {windowSize: 5, causal: true, exactWindowsize: true}, shape: [...LEAD, 25, 6], amplitude: 90, mask: {batch: 2, keeps: (row, token) => token > 6 + row}}, // prettier-ignore
  {
    name: 'logits of 1e7',
    config: {windowSize: 5, causal: true},
    shape: [...LEAD, 25, 6],
    amplitude: 3e3,
  },
  {name: 'logits of 1e9 by a negative scale', config: {windowSize: 5, scale: -1e9}, shape: [...LEAD, 25, 6]}, // prettier-ignore
  {name: 'a bias of −1e9 as a mask, which is all that window 0 sees', config: {windowSize: 64, lookForward: 0}, shape: [1, 128, 16], bias: {heads: null, level: (_, slot) => (slot < 64 ? 0 : -1e9)}}, // prettier-ignore
  {name: 'a bias of −1e9 as a mask, and nothing else to see', config: {windowSize: 5, lookBackward: 0, lookForward: 0}, shape: [...LEAD, 25, 6], bias: {heads: 3, level: (row, slot) => (row === 2 || slot > 2 ? -1e9 : 0)}}, // prettier-ignore
  {name: 'a bias of 1e4 alike', config: {windowSize: 5, causal: true}, shape: [...LEAD, 25, 6], bias: {heads: 3, level: 1e4}}, // prettier-ignore
  {name: 'a bias of −1e5 alike, masked', config: {windowSize: 5}, shape: [...LEAD, 25, 6], bias: {heads: null, level: -1e5}, mask: {batch: 2, keeps: SPARSE}}, // prettier-ignore
  {name: 'a bias of ±1e6 by slot', config: {windowSize: 5}, shape: [...LEAD, 25, 6], bias: {heads: 3, level: (row, slot) => ((3 * row + slot) % 5 > 2 ? 1e6 : -1e6)}}, // prettier-ignore
  {name: 'xpos of base 1, window 6 at the call', config: {windowSize: 1, useXpos: true, xposScaleBase: 1, scale: 1.3, autopad: true}, windowSize: 6, shape: [...LEAD, 24, 10]}, // prettier-ignore
  {name: 'tiny logits', config: {windowSize: 5}, shape: [...LEAD, 25, 6], amplitude: 1e-6},

  // dropout
  {name: 'dropout 0.3', config: {windowSize: 5, autopad: true}, shape: [...LEAD, 23, 6], dropout: {rate: 0.3, seed: 11}}, // prettier-ignore
  {name: 'dropout 0.3, causal, biased, masked, xpos', config: {windowSize: 4, causal: true, useXpos: true}, shape: [...LEAD, 20, 6], dropout: {rate: 0.3, seed: 12}, mask: {batch: 2, keeps: SPARSE}, bias: {heads: 3}}, // prettier-ignore
  {name: 'dropout 0.9, shared qk', config: {windowSize: 4, sharedQk: true}, shape: [...LEAD, 20, 6], dropout: {rate: 0.9, seed: 2 ** 32 - 1}}, // prettier-ignore
];

/** The cases of the given names, for what is too slow for all of them. */
export function casesNamed(...names: string[]): Case[] {
  return names.map((name) => {
    const found = CASES.find((c) => c.name === name);
    if (!found) throw new Error(`No case is named "${name}".`);
    return found;
  });
}
