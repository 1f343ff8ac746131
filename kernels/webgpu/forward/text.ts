/**
 * The forward kernel, in one dispatch: out = softmax(scores) v, and the statistics of each softmax.
 *
 * A workgroup has a block of consecutive queries of one head and goes over the keys that any of them
 * sees, a tile at a time, online. Thread (lane, line) has the queries line, line + LINES … of the
 * block and keys 4 · lane … 4 · lane + 3 of a tile, and then channels lane, lane + LANES … (in fours)
 * of its queries' sums. Keys and values pass through the same workgroup memory; so do weights, and
 * the maxima of a row's lanes.
 */
import type {Variant} from './tile';
import {BANDS} from '../wgsl/bands';
import {BLOCK, WORKGROUP, buffers, callStruct} from '../wgsl/call';
import {elementOf, readers, writer} from '../wgsl/rows';
import {ADJUSTED, DROPOUT, FACTOR_OF_KEY, FINITE, FLOOR, HIDDEN} from '../wgsl/scores';
import {PLACE_OF_MET, PLACE_OF_OWN, stage} from '../wgsl/stage';
import {each, list} from '../wgsl/text';

/** Names of the tensors, in the order in which they are bound. */
export function forwardBindings({rotary, extras}: Variant): string[] {
  const options = [...(extras ? ['mask', 'bias'] : []), ...(rotary ? ['angles'] : [])];
  return ['out', 'q', 'k', 'v', ...options, 'stats'];
}

export function forwardText(variant: Variant): string {
  const {tile, rotary, extras, layout, keyColumns, valueColumns, whole} = variant;
  const lanes = tile.keys / 4;
  const lines = tile.queries / tile.rows;
  const held = Math.min(valueColumns, tile.columns); // columns of values
  const elements = Math.max(keyColumns * (tile.keys + 1), tile.keys * held);
  const bindings = forwardBindings(variant);
  const perRow = (line: (i: number) => string) => each(tile.rows, line);
  const perSum = (line: (c: number) => string) => each(valueColumns / lanes, line);
  const ifExtras = (text: string) => (extras ? text : '');

  const stageQueries = stage({
    into: 'queries',
    columns: 'columns',
    count: 'OWN',
    first: 'begin',
    last: 'last',
    at: PLACE_OF_OWN,
    value: rotary ? 'turnedQuery(row, c, (position - origin) * u.headDim)' : 'query(row, c)',
  });
  const stageKeys = stage({
    into: 'tile',
    columns: 'columns',
    count: 'MET',
    first: 'base',
    last: 'u.length - 1u',
    at: PLACE_OF_MET,
    value: rotary
      ? 'turnedKey(row, c, u.keyAngles + (position - origin) * u.headDim)'
      : 'key(row, c)',
  });
  const products = `
    for (var c = 0u; c < min(COLUMNS, columns - column); c++) {
${each(4, (j) => `      let k${j} = tile[c * PITCH + ${j}u * LANES + lane];`)}
${perRow(
  (i) => `      let q${i} = queries[c * OWN + line + ${i}u * LINES];
      s${i} += vec4<f32>(${list(4, (j) => `dot(q${i}, k${j})`)});`,
)}
    }`;
  const scores = whole
    ? `
    ${stageKeys}
    workgroupBarrier();${products}`
    : `
    for (var column = 0u; column < columns; column += COLUMNS) {
    workgroupBarrier();
    ${stageQueries}
    ${stageKeys}
    workgroupBarrier();${products}
    }`;

  const addValues = (part: number) => `
    for (var e = thread; e < MET * HELD; e += THREADS) {
      let c = e % HELD + ${part}u * HELD;
      let j = base + e / HELD;
      var x = vec4<f32>(0.0);
      if (4u * c < u.valueDim && j < end${ifExtras(' && factors[e / HELD] != 0.0')}) { x = value(rowOfHead + j, c); }
      let strange = unusual(x);
      if (any(strange)) { atomicStore(&strangeValues, 1u); }
      tile[e] = select(x, vec4<f32>(0.0), strange);
    }
    workgroupBarrier();
    for (var four = 0u; four < LANES; four++) {
${perRow((i) => `      let p${i} = weights[four * OWN + line + ${i}u * LINES];`)}
${each(
  held / lanes,
  (c) => `      {
${each(4, (j) => `        let v${j} = tile[(4u * four + ${j}u) * HELD + lane + ${c}u * LANES];`)}
${perRow((i) => `        out${i}_${c + (part * held) / lanes} += p${i}.x * v0 + p${i}.y * v1 + p${i}.z * v2 + p${i}.w * v3;`)}
      }`,
)}
    }`;

  return `// local attention, forward: ${tile.queries} queries meet ${tile.keys} keys at a time
${buffers(bindings, ['out', 'stats'], layout)}
${callStruct(bindings.length)}

const OWN = ${tile.queries}u;
const MET = ${tile.keys}u;
const LANES = ${lanes}u;
const LINES = ${lines}u;
const THREADS = ${lanes * lines}u;
const COLUMNS = ${keyColumns}u; // of queries and keys, in fours of channels, that are held at a time
const HELD = ${held}u; // columns of values
const PITCH = ${tile.keys + 1}u; // odd, so that what goes into one column does not collide

var<workgroup> tile: array<vec4<f32>, ${elements}>; // keys [column][key], then values [key][column]
var<workgroup> queries: array<vec4<f32>, ${keyColumns * tile.queries}>; // [column][query]
var<workgroup> weights: array<vec4<f32>, ${lanes * tile.queries}>; // [four of keys][query]
var<workgroup> ofLanes: array<f32, ${lanes * tile.queries}>; // [query][lane]
var<workgroup> strangeValues: atomic<u32>; // whether any value so far is NaN or infinite
${BANDS}
${FINITE}
${rotary ? `fn angleAt(i: u32) -> ${elementOf(layout)} { return angles[i]; }` : ''}
${readers(variant)}
${writer('writeOut', 'out', 'u.valueDim', layout)}
${ifExtras(`
var<workgroup> factors: array<f32, ${tile.keys}>; // of the keys; 0 hides one
fn biasAt(i: u32) -> f32 { return bias[i]; }
${ADJUSTED}
${DROPOUT}
${FACTOR_OF_KEY}`)}

@compute @workgroup_size(${lanes * lines})
fn main(${WORKGROUP}) {${BLOCK}
  let origin = contextOf(begin); // of the angles
  let end = endKey(last);
  let seenByAll = firstKey(last); // the keys from here to the next are
  let endSeenByAll = endKey(begin);
  let columns = ${variant.exact ? 'COLUMNS' : '(u.headDim + 3u) / 4u'};
  // weights of so many keys sum to 1 at most: values near the largest of float32 have a mean then
  let doublings = 32u - countLeadingZeros(min(u.length, (1u + u.lookBackward + u.lookForward) * u.windowSize));
  let small = bitcast<f32>((127u - doublings) << 23u);
${perRow(
  (i) => `  let query${i} = begin + line + ${i}u * LINES;
  let first${i} = firstKey(query${i});
  let end${i} = select(0u, endKey(query${i}), query${i} < u.length);
  var max${i} = f32(${FLOOR});
  var sum${i} = 0.0;${ifExtras(`
  let random${i} = randomOf(head, query${i});`)}
${perSum((c) => `  var out${i}_${c} = vec4<f32>(0.0);`)}`,
)}
  if (thread == 0u) { atomicStore(&strangeValues, 0u); }
${whole ? `  const column = 0u;\n    ${stageQueries}` : ''}

  for (var base = firstKey(begin); base < end; base += MET) {
    let keys = vec4<u32>(base + 4u * lane) + vec4<u32>(0u, 1u, 2u, 3u);
${perRow((i) => `    var s${i} = vec4<f32>(0.0);`)}
    workgroupBarrier();${ifExtras(`
    for (var e = thread; e < MET; e += THREADS) { factors[e] = factorOfKey(head, min(base + e, u.length - 1u)); }`)}
${scores}
${ifExtras(`    let factor = vec4<f32>(${list(4, (j) => `factors[4u * lane + ${j}u]`)});
${perRow((i) => `    s${i} = adjusted(s${i}, head, vec4<u32>(query${i}), keys, factor);`)}`)}
    if (base < seenByAll || base + MET > endSeenByAll) {
${perRow((i) => `      s${i} = select(vec4<f32>(${HIDDEN}), s${i}, (keys >= vec4<u32>(first${i})) & (keys < vec4<u32>(end${i})));`)}
    }
${perRow((i) => `    ofLanes[(line + ${i}u * LINES) * LANES + lane] = max(max(s${i}.x, s${i}.y), max(s${i}.z, s${i}.w));`)}
    workgroupBarrier();
${perRow(
  (i) => `    {
      let at = (line + ${i}u * LINES) * LANES;
      let top = ${list(lanes, (l) => `max(ofLanes[at + ${l}u]`)}, max${i}${')'.repeat(lanes)};
      let shrink = exp(max${i} - top);
      max${i} = top;
      s${i} = exp(s${i} - top);
      sum${i} = sum${i} * shrink + ((s${i}.x + s${i}.y) + (s${i}.z + s${i}.w));
${perSum((c) => `      out${i}_${c} *= shrink;`)}${ifExtras(`
      if (u.dropThreshold != 0u) { s${i} *= kept(vec4<u32>(random${i}.x), vec4<u32>(random${i}.y), keys); }`)}
      weights[lane * OWN + line + ${i}u * LINES] = s${i} * small;
    }`,
)}
${Array.from({length: valueColumns / held}, (_, part) => addValues(part)).join('\n    workgroupBarrier();')}
    if (atomicLoad(&strangeValues) != 0u) { // they reach those alone who have a weight for them
      for (var j = base; j < min(base + MET, end); j++) {${ifExtras(`
        if (factors[j - base] == 0.0) { continue; }`)}
        let at = (j - base) / 4u * OWN + line;
${perRow((i) => `        let has${i} = vec4<bool>(weights[at + ${i}u * LINES][(j - base) % 4u] > 0.0);`)}
${perSum(
  (c) => `        {
          let x = value(rowOfHead + j, lane + ${c}u * LANES);
          let strange = unusual(x);
${perRow((i) => `          out${i}_${c} += select(vec4<f32>(0.0), x, strange & has${i});`)}
        }`,
)}
      }
    }
  }

  workgroupBarrier();
${perRow((i) => `  ofLanes[(line + ${i}u * LINES) * LANES + lane] = sum${i};`)}
  workgroupBarrier();
${perRow(
  (i) => `  if (query${i} < u.length) {
    let at = (line + ${i}u * LINES) * LANES;
    var sum = ${Array.from({length: lanes}, (_, l) => `ofLanes[at + ${l}u]`).join(' + ')};
    if (any(unusual(vec4<f32>(sum)))) { sum = u.nan; } // a score was; exp may not tell
    let share = select(1.0 / (small * sum), 0.0, bitcast<u32>(sum) == 0u);
    let row = rowOfHead + query${i};
    if (lane == 0u) {
      stats[2u * row] = max${i};
      stats[2u * row + 1u] = sum;
    }
${perSum((c) => `    writeOut(row, lane + ${c}u * LANES, out${i}_${c} * share);`)}
  }`,
)}
}
`;
}
