/**
 * Random cases for fast-check: any mix of options, at sizes that the loops can follow. Half of them
 * have scores or biases of 1e2 … 1e9, of either sign.
 */
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
  large: Large | null;
}

/** What makes the scores large, and how large: ±10^power. */
interface Large {
  by: 'amplitude' | 'scale' | 'bias alike' | 'bias by slot' | 'bias of some slots' | 'xpos';
  power: number;
  sign: 1 | -1;
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
    large: fc.oneof(fc.constant(null), largeWith(fixed)),
  };
  const constants = Object.entries(fixed).map(([key, value]) => [key, fc.constant(value)]);
  const chosen = {...choices, ...Object.fromEntries(constants)} as typeof choices;
  return fc.record(chosen).map((drawn) => known(drawn as Choices));
}

/** Of the kinds that do not touch what is fixed. */
function largeWith(fixed: Partial<Choices>): fc.Arbitrary<Large> {
  const kinds: Large['by'][] = ['amplitude', 'scale'];
  if (!fixed.bias) kinds.push('bias alike', 'bias by slot', 'bias of some slots');
  if (!fixed.positions && !('callWindow' in fixed)) kinds.push('xpos');
  return fc.record({
    by: fc.constantFrom(...kinds),
    power: fc.integer({min: 2, max: 9}),
    sign: fc.constantFrom(1, -1),
  });
}

const cases = new Map<string, Case>();
const MOST_KEPT = 1000;

/** The same choices are the same case, for whose truth the loops then run once. */
function known(choices: Choices): Case {
  const key = JSON.stringify(choices);
  const found = cases.get(key) ?? caseOf(choices);
  if (cases.size < MOST_KEPT) cases.set(key, found);
  return found;
}

function caseOf(drawn: Choices): Case {
  const {large} = drawn;
  const choices = large ? enlarged(drawn, large) : drawn;
  const {seed, window, causal, leading, tokens, half, positions, kept, bias} = choices;
  const xpos = positions === 'xpos';
  const random = generator(seed);
  const drawTable = () => Array.from({length: 1024}, random);
  const lookUp = (table: number[], row: number, column: number) =>
    table[(row * 61 + column) % table.length];
  const chance = (part: number) => {
    const table = drawTable();
    return (row: number, column: number) => lookUp(table, row, column) < part;
  };
  const heads = bias === 'shared' ? null : (leading[leading.length - 1] ?? 1);
  const size = large ? large.sign * 10 ** large.power : 0;
  const table = drawTable();
  const levels: Partial<Record<Large['by'], (row: number, slot: number) => number>> = {
    'bias alike': () => size,
    'bias by slot': (row, slot) => size * (2 * lookUp(table, row, slot) - 1),
    'bias of some slots': (row, slot) => (lookUp(table, row, slot) < 0.5 ? size : 0),
  };
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
      ...(large?.by === 'xpos' && {xposScaleBase: 1}),
      scale: choices.scale,
      autopad: true,
    },
    shape: [...leading, tokens, 2 * half],
    dv: choices.dv,
    mask: kept === null ? undefined : {batch: leading[0] ?? 1, keeps: chance(kept)},
    bias:
      bias === 'none'
        ? undefined
        : {
            heads,
            level: large ? levels[large.by] : undefined,
            ...(bias === 'holes' && {blind: chance(0.5)}),
          },
    dropout: choices.dropout ? {rate: 0.3, seed: seed >>> 0} : undefined,
    windowSize: xpos ? choices.callWindow : undefined,
    amplitude: large?.by === 'amplitude' ? Math.sqrt(Math.abs(size)) : 1,
  };
}

/** The choices that make the scores so large. */
function enlarged(choices: Choices, {by, power, sign}: Large): Choices {
  if (by === 'scale') return {...choices, scale: sign * 10 ** power};
  if (by === 'xpos') return {...choices, positions: 'xpos', scale: 1.3, callWindow: 6};
  if (by.startsWith('bias') && choices.bias === 'none') return {...choices, bias: 'heads'};
  return choices;
}
