/** dk and dv: keys are owned, and meet the queries that see them. */
import {NORMALISE_BACK, turnBack} from '../wgsl/back';
import {reader, writer} from '../wgsl/rows';
import {each} from '../wgsl/text';
import {Side, channels, vector} from './side';
import type {BackwardVariant} from './tile';

export const KEY_BINDINGS = ['dk', 'dv', 'q', 'k', 'v', 'dout', 'info', 'balance'];

export function ofKeys(variant: BackwardVariant): Side {
  const {tile, layout, rotary, extras} = variant;
  const {query, key, upstream, value} = channels(variant);
  const ifExtras = (text: string) => (extras ? text : '');
  return {
    bindings: KEY_BINDINGS,
    band: ['firstQuery', 'endQuery'],
    origin: 'windowOf(begin) - min(windowOf(begin), u.lookForward * u.windowSize)',
    own: [key, value],
    met: [query, upstream],
    sums: [
      {name: 'dk', factors: 'dScores', kind: 0, count: variant.ofKeys},
      {name: 'dv', factors: 'weights', kind: 1, count: variant.ofValues},
    ],
    declarations: `
var<workgroup> weights: array<vec4<f32>, ${(tile.met / 4) * tile.own}>; // as dScores
${writer('writeKey', 'dk', 'u.headDim', layout)}
${writer('writeValue', 'dv', 'u.valueDim', layout)}
${ifExtras(reader('gradientOfKey', 'dk', 'u.headDim', layout) + NORMALISE_BACK)}`,
    beforeRow: () => '',
    atTile: `${each(4, (j) => `    let known${j} = info[rows[${j}]];\n    let balance${j} = balance[rows[${j}]];`)}
    let largest = ${vector('f32', (j) => `known${j}.x`)};
    let shares = ${vector('f32', (j) => `known${j}.y`)};
    let means = ${vector('f32', (j) => `known${j}.z`)};
    let keysAhead = ${vector('u32', (j) => `balance${j}.x`)};
    let remainders = bitcast<vec4<f32>>(${vector('u32', (j) => `balance${j}.y`)});
${ifExtras(`${each(4, (j) => `    let random${j} = randomOf(head, met[${j}]);`)}
    let randomFirst = ${vector('u32', (j) => `random${j}.x`)};
    let randomStep = ${vector('u32', (j) => `random${j}.y`)};`)}`,
    query: () => 'met',
    key: (i) => `vec4<u32>(own${i})`,
    factor: (i) => `vec4<f32>(info${i}.w)`,
    largest: () => 'largest',
    share: () => 'shares',
    mean: () => 'means',
    kept: (i) => `kept(randomFirst, randomStep, vec4<u32>(own${i}))`,
    // its angles count from elsewhere, so its score may be another by rounding; its weight may not
    weigh: (i) => `      let ahead = (keysAhead == vec4<u32>(own${i})) & !hidden;
      weight = select(weight, shares, ahead);`,
    balance: () => '      slope -= select(vec4<f32>(0.0), remainders, ahead);',
    factors: () => ({dScores: 'slope', weights: `weight${ifExtras(' * keep')}`}),
    finish: `${each(
      tile.rows,
      (i) => `  if (own${i} < u.length) {
    let row = rowOfHead + own${i};
${each(variant.ofKeys, (n) => `    writeKey(row, lane + ${n}u * LANES, dk${i}_${n});`)}
${each(variant.ofValues, (n) => `    writeValue(row, lane + ${n}u * LANES, dv${i}_${n});`)}
  }`,
    )}
${rotary ? turnBack('dk', 'u.keyAngles + (begin + r - origin) * u.headDim', layout) : ''}
${ifExtras(`  storageBarrier();
  if (u.sharedQk != 0u && thread < OWN && begin + thread < u.length) {
    normaliseBack(rowOfHead + begin + thread);
  }`)}`,
  };
}
