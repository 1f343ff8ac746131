/**
 * The second and third kernels of the gradient: dq by blocks of queries, dk and dv by blocks of keys.
 * Weights are made again from the statistics of the forward kernel:
 *
 *     P = exp(S − largest) / sum     dV = (P ∘ keep)ᵀ dO     dP = (dO Vᵀ) ∘ keep
 *     D = rowsum(dO ∘ O)             dS = P ∘ (dP − D)        dQ = dS K      dK = dSᵀ Q
 *
 * Both are one text with the roles swapped. A workgroup owns a block of rows of one side and meets
 * the rows of the other that see them or are seen, a tile at a time. Thread (lane, line) owns the
 * rows line, line + LINES … and has four of the tile's; then channels lane, lane + LANES … (in fours)
 * of its rows' gradients. No sum is shared by workgroups, so the bits are the same every time.
 *
 * Σ_j dS_j = 0 in each row, but for rounding: where one key has more than half of the weight, its dS
 * is what rounding leaves of dP − D, and the others' are exact but small. There the queries' kernel
 * takes the remainder from it, and writes which key it was and how much, for the others to do so too.
 */
import type {BackwardVariant} from './backward_tile';
import {BANDS} from './wgsl/bands';
import {buffers, callStruct} from './wgsl/call';
import {reader, readers, writer} from './wgsl/rows';
import {angleOfInfo, BIAS_OF_INFO, NORMALISE_BACK, turnBack} from './wgsl/back';
import {ADJUSTED, DROPOUT, FINITE, HIDDEN} from './wgsl/scores';
import {stage} from './wgsl/stage';
import {each, list} from './wgsl/text';

const PLACE_OF_OWN = '(e % COLUMNS) * OWN + r';
const PLACE_OF_MET = '(e % COLUMNS) * PITCH + (r % 4u) * LANES + r / 4u';

export function gradientBindings(of: BackwardVariant['of']): string[] {
  const own = of === 'queries' ? ['dq', 'balance'] : ['dk', 'dv'];
  const read = ['q', 'k', 'v', 'dout', 'info'];
  return of === 'queries' ? [...own, ...read] : [...own, ...read, 'balance'];
}

export function gradientWritten(of: BackwardVariant['of']): string[] {
  return gradientBindings(of).slice(0, 2);
}

export function gradientText(variant: BackwardVariant): string {
  const {of, tile, layout, rotary, extras, columns, frame, ofKeys, ofValues, whole} = variant;
  const ofQueries = of === 'queries';
  const lanes = tile.met / 4;
  const lines = tile.own / tile.rows;
  const perRow = (line: (i: number) => string) => each(tile.rows, line);
  const ifExtras = (text: string) => (extras ? text : '');
  const bindings = gradientBindings(of);
  const [first, end] = ofQueries ? ['firstKey', 'endKey'] : ['firstQuery', 'endQuery'];
  // rows of d channels, and of dv
  const query = rotary ? 'turnedQuery(row, c, (position - origin) * u.headDim)' : 'query(row, c)';
  const key = rotary
    ? 'turnedKey(row, c, u.keyAngles + (position - origin) * u.headDim)'
    : 'key(row, c)';
  const [own, met] = ofQueries ? [[query, 'upstream(row, c)'], [key, 'value(row, c)']] : [[key, 'value(row, c)'], [query, 'upstream(row, c)']]; // prettier-ignore

  const stageRows = (side: 'own' | 'met', kind: 0 | 1) =>
    stage({
      into: `${side === 'own' ? 'mine' : 'theirs'}${kind}`,
      count: side === 'own' ? 'OWN' : 'MET',
      first: side === 'own' ? 'begin' : 'base',
      last: side === 'own' ? 'last' : 'u.length - 1u',
      at: side === 'own' ? PLACE_OF_OWN : PLACE_OF_MET,
      value: `finite(${(side === 'own' ? own : met)[kind]})`,
      columns: `columns${kind}`,
    });
  /** Adds the products of the staged columns to `sum`0 …: `own`(i) · `met`(j). */
  const products = (kind: 0 | 1, sum: string) => `
    for (var c = 0u; c < min(COLUMNS, columns${kind} - min(column, columns${kind})); c++) {
${each(4, (j) => `      let m${j} = theirs${kind}[c * PITCH + ${j}u * LANES + lane];`)}
${perRow(
  (i) => `      let o${i} = mine${kind}[c * OWN + line + ${i}u * LINES];
      ${sum}${i} += vec4<f32>(${list(4, (j) => `dot(o${i}, m${j})`)});`,
)}
    }`;
  const tileProducts = whole
    ? `
    ${stageRows('met', 0)}
    ${stageRows('met', 1)}
    workgroupBarrier();${products(0, 's')}${products(1, 'dp')}`
    : `
    for (var column = 0u; column < max(columns0, columns1); column += COLUMNS) {
    workgroupBarrier();
    ${stageRows('own', 0)}
    ${stageRows('own', 1)}
    ${stageRows('met', 0)}
    ${stageRows('met', 1)}
    workgroupBarrier();${products(0, 's')}${products(1, 'dp')}
    }`;

  /** Adds factors · rows met to the gradients `sum`i_c, of the columns of one part. */
  const accumulate = (sum: string, factors: string, kind: 0 | 1, from: number, to: number) => `
    for (var four = 0u; four < LANES; four++) {
${perRow((i) => `      let f${i} = ${factors}[four * OWN + line + ${i}u * LINES];`)}
${Array.from(
  {length: to - from},
  (_, c) => `      {
${each(4, (j) => `        let m${j} = theirs${kind}[(lane + ${c}u * LANES) * PITCH + ${j}u * LANES + four];`)}
${perRow((i) => `        ${sum}${i}_${from + c} += f${i}.x * m0 + f${i}.y * m1 + f${i}.z * m2 + f${i}.w * m3;`)}
      }`,
).join('\n')}
    }`;
  const sums: [string, string, 0 | 1, number][] = ofQueries
    ? [['dq', 'dScores', 0, ofKeys]]
    : [['dk', 'dScores', 0, ofKeys], ['dv', 'weights', 1, ofValues]]; // prettier-ignore
  const held = columns / lanes;
  const gradients = sums.flatMap(([sum, factors, kind, count]) =>
    Array.from({length: Math.ceil(count / held)}, (_, part) => {
      const added = accumulate(sum, factors, kind, part * held, Math.min(count, (part + 1) * held));
      if (whole) return added;
      return `
    workgroupBarrier();
    { let column = ${part}u * COLUMNS;
    ${stageRows('met', kind)} }
    workgroupBarrier();${added}`;
    }),
  );
  const perSum = (line: (i: number, sum: string, c: number) => string) =>
    perRow((i) => sums.map(([sum, , , count]) => each(count, (c) => line(i, sum, c))).join('\n'));

  const sides = ofQueries
    ? {query: (i: number) => `vec4<u32>(own${i})`, key: () => 'met', factor: () => 'factors'}
    : {query: () => 'met', key: (i: number) => `vec4<u32>(own${i})`, factor: (i: number) => `vec4<f32>(info${i}.w)`}; // prettier-ignore
  const stat = (name: 'x' | 'y' | 'z', i: number) =>
    ofQueries ? `info${i}.${name}` : {x: 'largest', y: 'shares', z: 'means'}[name];

  return `// gradient of local attention, ${of}: ${tile.own} of them meet ${tile.met} ${ofQueries ? 'keys' : 'queries'} at a time
${buffers(bindings, gradientWritten(of), layout)}
${callStruct(bindings.length)}

const OWN = ${tile.own}u;
const MET = ${tile.met}u;
const LANES = ${lanes}u;
const LINES = ${lines}u;
const THREADS = ${lanes * lines}u;
const COLUMNS = ${columns}u; // fours of channels that are held at a time
const PITCH = ${tile.met + 1}u; // odd, so that what goes into one column does not collide
const FRAME = ${frame}u; // queries that share an origin of angles in the forward kernel
const NONE = 0xffffffffu;

// of ${ofQueries ? 'queries' : 'keys'}, of ${ofQueries ? 'dout' : 'values'}, [column][row]; and of what they meet
var<workgroup> mine0: array<vec4<f32>, ${columns * tile.own}>;
var<workgroup> mine1: array<vec4<f32>, ${columns * tile.own}>;
var<workgroup> theirs0: array<vec4<f32>, ${columns * (tile.met + 1)}>;
var<workgroup> theirs1: array<vec4<f32>, ${columns * (tile.met + 1)}>;
var<workgroup> dScores: array<vec4<f32>, ${lanes * tile.own}>; // [four of met rows][own row]
${
  ofQueries
    ? `var<workgroup> ofLanes: array<f32, ${lanes * tile.own}>; // [own row][lane]
var<workgroup> topOfLanes: array<f32, ${lanes * tile.own}>;
var<workgroup> keyOfLanes: array<u32, ${lanes * tile.own}>;`
    : `var<workgroup> weights: array<vec4<f32>, ${lanes * tile.own}>;`
}
${BANDS}
${FINITE}
${rotary ? angleOfInfo(layout) : ''}
${readers(variant)}
${reader('upstream', 'dout', 'u.valueDim', layout)}
${
  ofQueries
    ? writer('writeQuery', 'dq', 'u.headDim', layout)
    : writer('writeKey', 'dk', 'u.headDim', layout) +
      writer('writeValue', 'dv', 'u.valueDim', layout)
}
${ifExtras(`${BIAS_OF_INFO}\n${ADJUSTED}\n${DROPOUT}`)}
${!ofQueries && extras ? reader('gradientOfKey', 'dk', 'u.headDim', layout) + NORMALISE_BACK : ''}

@compute @workgroup_size(${lanes * lines})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let id = u.start + group.x + groups.x * (group.y + groups.y * group.z);
  if (id >= u.stop) { return; }
  let blocks = (u.length + OWN - 1u) / OWN;
  let head = id / blocks;
  let rowOfHead = head * u.length;
  let begin = id % blocks * OWN;
  let last = min(begin + OWN, u.length) - 1u;
  let window = windowOf(begin);
  let origin = ${ofQueries ? 'contextOf(begin / FRAME * FRAME)' : 'window - min(window, u.lookForward * u.windowSize)'}; // of the angles
  let end = ${end}(last);
  let metByAll = ${first}(last); // the rows from here to the next are
  let endMetByAll = ${end}(begin);
  let columns0 = (u.headDim + 3u) / 4u;
  let columns1 = (u.valueDim + 3u) / 4u;
  let lane = thread % LANES;
  let line = thread / LANES;
${perRow(
  (i) => `  let own${i} = begin + line + ${i}u * LINES;
  let first${i} = ${first}(own${i});
  let end${i} = select(0u, ${end}(own${i}), own${i} < u.length);
  let info${i} = info[rowOfHead + min(own${i}, last)];${
    ofQueries
      ? `
  var remainder${i} = 0.0;
  var top${i} = f32(${HIDDEN});
  var key${i} = NONE;`
      : ''
  }${
    ofQueries && extras
      ? `
  let random${i} = randomOf(head, own${i});`
      : ''
  }`,
)}
${perSum((i, sum, c) => `  var ${sum}${i}_${c} = vec4<f32>(0.0);`)}
${
  whole
    ? `  const column = 0u;
    ${stageRows('own', 0)}
    ${stageRows('own', 1)}`
    : ''
}

  for (var base = ${first}(begin); base < end; base += MET) {
    let met = vec4<u32>(base + 4u * lane) + vec4<u32>(0u, 1u, 2u, 3u);
    let rows = vec4<u32>(rowOfHead) + min(met, vec4<u32>(u.length - 1u));
${
  ofQueries
    ? ifExtras(
        `    let factors = vec4<f32>(${['x', 'y', 'z', 'w'].map((j) => `info[rows.${j}].w`).join(', ')});`,
      )
    : `${each(4, (j) => `    let met${j}Info = info[rows[${j}]];\n    let met${j}Balance = balance[rows[${j}]];`)}
    let largest = vec4<f32>(${list(4, (j) => `met${j}Info.x`)});
    let shares = vec4<f32>(${list(4, (j) => `met${j}Info.y`)});
    let means = vec4<f32>(${list(4, (j) => `met${j}Info.z`)});
    let keysAhead = vec4<u32>(${list(4, (j) => `met${j}Balance.x`)});
    let remainders = bitcast<vec4<f32>>(vec4<u32>(${list(4, (j) => `met${j}Balance.y`)}));${ifExtras(`
${each(4, (j) => `    let random${j} = randomOf(head, met[${j}]);`)}
    let randomFirst = vec4<u32>(${list(4, (j) => `random${j}.x`)});
    let randomStep = vec4<u32>(${list(4, (j) => `random${j}.y`)});`)}`
}
${perRow(
  (i) => `    var s${i} = vec4<f32>(0.0);
    var dp${i} = vec4<f32>(0.0);`,
)}
    workgroupBarrier();${tileProducts}
${ifExtras(perRow((i) => `    s${i} = adjusted(s${i}, head, ${sides.query(i)}, ${sides.key(i)}, ${sides.factor(i)});`))}
    if (base < metByAll || base + MET > endMetByAll) {
${perRow((i) => `      s${i} = select(vec4<f32>(${HIDDEN}), s${i}, (met >= vec4<u32>(first${i})) & (met < vec4<u32>(end${i})));`)}
    }
${perRow(
  (i) => `    {
      let hidden = s${i} == vec4<f32>(${HIDDEN});
      let power = exp(min(s${i} - ${stat('x', i)}, vec4<f32>(0.0)));
      // a weight of 0 takes nothing, though the sum may be NaN
      ${ofQueries ? 'let' : 'var'} weight = select(power * ${stat('y', i)}, vec4<f32>(0.0), hidden | (power == vec4<f32>(0.0)));${
        ofQueries
          ? ''
          : `
      let ahead = (keysAhead == vec4<u32>(own${i})) & !hidden;
      weight = select(weight, shares, ahead);`
      }
${ifExtras(`      var keep = vec4<f32>(1.0);
      if (u.dropThreshold != 0u) { keep = ${ofQueries ? `kept(vec4<u32>(random${i}.x), vec4<u32>(random${i}.y), met)` : `kept(randomFirst, randomStep, vec4<u32>(own${i}))`}; }
      dp${i} *= keep;`)}
      var slope = select(weight * (dp${i} - ${stat('z', i)}), vec4<f32>(0.0), hidden);
${
  ofQueries
    ? `      if (info${i}.y > 0.5) {
        remainder${i} += (slope.x + slope.y) + (slope.z + slope.w);
${each(4, (j) => `        if (s${i}[${j}] > top${i}) { top${i} = s${i}[${j}]; key${i} = met[${j}]; }`)}
      }`
    : `      slope -= select(vec4<f32>(0.0), remainders, ahead);
      weights[lane * OWN + line + ${i}u * LINES] = weight${ifExtras(' * keep')};`
}
${ifExtras(`      // the score of a token with itself is a constant
      slope = select(slope, vec4<f32>(0.0), (met == vec4<u32>(own${i})) & vec4<bool>(u.sharedQk != 0u));`)}
      dScores[lane * OWN + line + ${i}u * LINES] = slope${ofQueries ? ifExtras(' * factors') : ''};
    }`,
)}
    workgroupBarrier();${gradients.join('')}
  }
${ofQueries ? finishQueries() : finishKeys()}
}
`;

  function finishQueries(): string {
    return `
${perRow(
  (i) => `  ofLanes[(line + ${i}u * LINES) * LANES + lane] = remainder${i};
  topOfLanes[(line + ${i}u * LINES) * LANES + lane] = top${i};
  keyOfLanes[(line + ${i}u * LINES) * LANES + lane] = key${i};`,
)}
  workgroupBarrier();
${perRow(
  (i) => `  if (own${i} < u.length) {
    let at = (line + ${i}u * LINES) * LANES;
    var remainder = info${i}.y * (${Array.from({length: lanes}, (_, l) => `ofLanes[at + ${l}u]`).join(' + ')});
    var ahead = NONE;
    var top = f32(${HIDDEN});
    for (var l = 0u; l < LANES; l++) {
      if (topOfLanes[at + l] > top) { top = topOfLanes[at + l]; ahead = keyOfLanes[at + l]; }
    }
    if (u.sharedQk != 0u && ahead == own${i}) { ahead = NONE; } // its score is a constant
    if (ahead == NONE) { remainder = 0.0; } else {
      let position = ahead;
      let row = rowOfHead + ahead;
${each(
  ofKeys,
  (n) => `      {
        let c = lane + ${n}u * LANES;
        if (c < columns0) { dq${i}_${n} -= remainder * finite(${key})${ifExtras(' * info[row].w')}; }
      }`,
)}
    }
    let row = rowOfHead + own${i};
    if (lane == 0u) { balance[row] = vec2<u32>(ahead, bitcast<u32>(remainder)); }
${each(ofKeys, (n) => `    writeQuery(row, lane + ${n}u * LANES, dq${i}_${n} * u.scale);`)}
  }`,
)}${
      rotary
        ? `
  storageBarrier();
  ${turnBack('dq', '(begin + r - origin) * u.headDim', layout)}`
        : ''
    }`;
  }

  function finishKeys(): string {
    return `
${perRow(
  (i) => `  if (own${i} < u.length) {
    let row = rowOfHead + own${i};
${each(ofKeys, (n) => `    writeKey(row, lane + ${n}u * LANES, dk${i}_${n});`)}
${each(ofValues, (n) => `    writeValue(row, lane + ${n}u * LANES, dv${i}_${n});`)}
  }`,
)}${
      rotary
        ? `
  storageBarrier();
  ${turnBack('dk', 'u.keyAngles + (begin + r - origin) * u.headDim', layout)}`
        : ''
    }${ifExtras(`
  storageBarrier();
  if (u.sharedQk != 0u && thread < OWN && begin + thread < u.length) { normaliseBack(rowOfHead + begin + thread); }`)}`;
  }
}
