/** dq: queries are owned, and meet the keys that they see. */
import {turnBack} from '../wgsl/back';
import {reader, writer} from '../wgsl/rows';
import {HIDDEN} from '../wgsl/scores';
import {each} from '../wgsl/text';
import {Side, channels, vector} from './side';
import type {BackwardVariant} from './tile';

export const QUERY_BINDINGS = ['dq', 'balance', 'q', 'k', 'v', 'dout', 'info'];

export function ofQueries(variant: BackwardVariant): Side {
  const {tile, layout, rotary, extras, ofKeys} = variant;
  const lanes = tile.met / 4;
  const {query, key, upstream, value} = channels(variant);
  const ifExtras = (text: string) => (extras ? text : '');
  const at = (i: number) => `(line + ${i}u * LINES) * LANES`;
  return {
    bindings: QUERY_BINDINGS,
    band: ['firstKey', 'endKey'],
    origin: 'contextOf(begin / FRAME * FRAME)',
    own: [query, upstream],
    met: [key, value],
    sums: [{name: 'dq', factors: 'dScores', kind: 0, count: ofKeys}],
    declarations: `
// of each lane of a row, [own row][lane]: Σ dS, the largest score and whose it is
var<workgroup> ofLanes: array<f32, ${lanes * tile.own}>;
var<workgroup> topOfLanes: array<f32, ${lanes * tile.own}>;
var<workgroup> keyOfLanes: array<u32, ${lanes * tile.own}>;
${writer('writeQuery', 'dq', 'u.headDim', layout)}
${reader('gradientOfQuery', 'dq', 'u.headDim', layout)}`,
    beforeRow: (i) => `  var remainder${i} = 0.0;
  var top${i} = f32(${HIDDEN});
  var key${i} = NONE;
${ifExtras(`  let random${i} = randomOf(head, own${i});`)}`,
    atTile: ifExtras(`    let factors = ${vector('f32', (j) => `info[rows[${j}]].w`)};`),
    query: (i) => `vec4<u32>(own${i})`,
    key: () => 'met',
    factor: () => 'factors',
    largest: (i) => `info${i}.x`,
    share: (i) => `info${i}.y`,
    mean: (i) => `info${i}.z`,
    kept: (i) => `kept(vec4<u32>(random${i}.x), vec4<u32>(random${i}.y), met)`,
    weigh: () => '',
    balance: (i) => `      if (info${i}.y > 0.5) {
        remainder${i} += (slope.x + slope.y) + (slope.z + slope.w);
${each(4, (j) => `        if (s${i}[${j}] > top${i}) { top${i} = s${i}[${j}]; key${i} = met[${j}]; }`)}
      }`,
    factors: () => ({dScores: `slope${ifExtras(' * factors')}`}),
    finish: `${each(
      tile.rows,
      (i) => `  ofLanes[${at(i)} + lane] = remainder${i};
  topOfLanes[${at(i)} + lane] = top${i};
  keyOfLanes[${at(i)} + lane] = key${i};
  if (own${i} < u.length) {
${each(ofKeys, (n) => `    writeQuery(rowOfHead + own${i}, lane + ${n}u * LANES, dq${i}_${n} * u.scale);`)}
  }`,
    )}
  workgroupBarrier();
  if (thread < OWN && begin + thread < u.length) {
    let row = rowOfHead + begin + thread;
    var remainder = 0.0;
    var ahead = NONE;
    var top = f32(${HIDDEN});
    for (var l = thread * LANES; l < (thread + 1u) * LANES; l++) {
      remainder += ofLanes[l];
      if (topOfLanes[l] > top) { top = topOfLanes[l]; ahead = keyOfLanes[l]; }
    }
    if (u.sharedQk != 0u && ahead == begin + thread) { ahead = NONE; } // its score is a constant
    remainder = select(info[row].y * remainder, 0.0, ahead == NONE);
    balance[row] = vec2<u32>(ahead, bitcast<u32>(remainder));
  }
  storageBarrier();
  for (var e = thread; e < OWN * columns0; e += THREADS) {
    let c = e % columns0;
    let owner = rowOfHead + begin + e / columns0;
    if (begin + e / columns0 > last) { break; }
    let position = balance[owner].x;
    if (position == NONE) { continue; }
    let row = rowOfHead + position;
    let share = bitcast<f32>(balance[owner].y) * u.scale${ifExtras(' * info[row].w')};
    writeQuery(owner, c, gradientOfQuery(owner, c) - share * finite(${key}));
  }
${rotary ? turnBack('dq', '(begin + r - origin) * u.headDim', layout) : ''}`,
  };
}
