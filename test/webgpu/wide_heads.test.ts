/**
 * Heads of up to 256 channels: tiles of their own, and columns that are held part by part. A GPU's
 * emulation compiles each for a quarter of a minute, so half of them run only where CASES is given.
 */
import type {Case} from '../support/cases';
import {onWebgpu, testAgainstLoops} from './on_webgpu';

const SPARSE = (row: number, token: number) => (5 * row + 3 * token) % 7 > 2;
const MIXED = {mask: {batch: 2, keeps: SPARSE}, bias: {heads: 3}, dropout: {rate: 0.3, seed: 12}};

const CASES: Case[] = [
  {name: 'a key of 256 channels, a value of 3', config: {windowSize: 7, autopad: true}, shape: [2, 3, 30, 256], dv: 3}, // prettier-ignore
  {name: 'a key of 2, a value of 256, causal, all options', config: {windowSize: 40, autopad: true, causal: true}, shape: [2, 3, 90, 2], dv: 256, ...MIXED}, // prettier-ignore
  {name: '65 and 129, causal, no rotary', config: {windowSize: 13, autopad: true, causal: true, useRotaryPosEmb: false}, shape: [2, 3, 44, 65], dv: 129}, // prettier-ignore
  {name: '128, xpos, all options', config: {windowSize: 33, autopad: true, useXpos: true}, shape: [2, 3, 70, 128], ...MIXED}, // prettier-ignore
  {name: '64 in windows of 37, shared qk', config: {windowSize: 37, autopad: true, sharedQk: true}, shape: [1, 3, 123, 64]}, // prettier-ignore
  {name: '24 and 40 in windows of 21', config: {windowSize: 21, autopad: true}, shape: [2, 3, 97, 24], dv: 40, ...MIXED}, // prettier-ignore
];

onWebgpu('on webgpu', () => {
  const chosen = CASES.filter((_, at) => process.env.CASES || at % 2 === 0);
  testAgainstLoops(chosen);
});
