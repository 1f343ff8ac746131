/** Random cases for fast-check: any mix of options, at sizes that the loops can follow. */
import * as fc from 'fast-check';

import type {Case} from './cases';
import {generator} from './inputs';

export interface Choices {
  seed: number;
  window: number;
  causal: boolean;
  back: number;
  forward: number;
  exact: boolean;
  sharedQk: boolean;
  positions: 'none' | 'rotary' | 'xpos';
  /** Half of the head size. */
  half: number;
  tokens: number;
  leading: number[];
  dv: number;
  /** Part of the keys that exist, or null without a mask. */
  kept: number | null;
  bias: 'none' | 'heads' | 'shared' | 'holes';
  dropout: boolean;
  scale: number | undefined;
  /** Only with xpos. */
  callWindow: number | undefined;
  amplitude: number;
}

/** A case of these choices, the rest random; a choice that is fixed does not shrink. */
export function arbitraryCase(fixed: Partial<Choices> = {}): fc.Arbitrary<Case> {
  const choices: {[key in keyof Choices]: fc.Arbitrary<Choices[key]>} = {
    seed: fc.integer(),
    window: fc.integer({min: 1, max: 5}),
    causal: fc.boolean(),
    back: fc.integer({min: 0, max: 2}),
    forward: fc.integer({min: 0, max: 2}),
    exact: fc.boolean(),
    sharedQk: fc.boolean(),
    positions: fc.constantFrom('none', 'rotary', 'xpos'),
    half: fc.integer({min: 1, max: 3}),
    tokens: fc.integer({min: 1, max: 14}),
    leading: fc.constantFrom([], [2], [2, 2], [1, 3], [2, 1, 2]),
    dv: fc.integer({min: 1, max: 5}),
    kept: fc.constantFrom(null, 0.2, 0.7),
    bias: fc.constantFrom('none', 'heads', 'shared', 'holes'),
    dropout: fc.boolean(),
    scale: fc.constantFrom(undefined, undefined, -0.7, 1.5),
    callWindow: fc.constantFrom(undefined, 1, 3, 4),
    amplitude: fc.constantFrom(1, 1, 5),
  };
  const constants = Object.entries(fixed).map(([key, value]) => [key, fc.constant(value)]);
  const chosen = {...choices, ...Object.fromEntries(constants)} as typeof choices;
  return fc.record(chosen).map((drawn) => caseOf(drawn as Choices));
}

function caseOf(choices: Choices): Case {
  const {seed, window, causal, leading, tokens, half, positions, kept, bias} = choices;
  const xpos = positions === 'xpos';
  const random = generator(seed);
  const chance = (part: number) => {
    const drawn = Array.from({length: 1024}, () => random() < part);
    return (row: number, column: number) => drawn[(row * 61 + column) % drawn.length];
  };
  const heads = bias === 'shared' ? null : (leading[leading.length - 1] ?? 1);
  return {
    name: 'random',
    seed,
    config: {
      windowSize: window,
      causal,
      lookBackward: choices.back,
      lookForward: causal ? 0 : choices.forward,
      exactWindowsize: choices.exact,
      sharedQk: choices.sharedQk,
      useRotaryPosEmb: positions !== 'none',
      useXpos: xpos,
      ...(xpos && window === 1 && {xposScaleBase: 2}),
      scale: choices.scale,
      autopad: true,
    },
    shape: [...leading, tokens, 2 * half],
    dv: choices.dv,
    mask: kept === null ? undefined : {batch: leading[0] ?? 1, keeps: chance(kept)},
    bias: bias === 'none' ? undefined : {heads, ...(bias === 'holes' && {blind: chance(0.5)})},
    dropout: choices.dropout ? {rate: 0.3, seed: seed >>> 0} : undefined,
    windowSize: xpos ? choices.callWindow : undefined,
    amplitude: choices.amplitude,
  };
}
