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
import {BIAS_OF_INFO, angleOfInfo} from '../wgsl/back';
import {BANDS} from '../wgsl/bands';
import {BLOCK, WORKGROUP, buffers, callStruct} from '../wgsl/call';
import {reader, readers} from '../wgsl/rows';
import {ADJUSTED, DROPOUT, FINITE, HIDDEN} from '../wgsl/scores';
import {each} from '../wgsl/text';
import {ofKeys} from './keys';
import {ofQueries} from './queries';
import {addTile, productsOfTile, stageOwn} from './sums';
import type {BackwardVariant} from './tile';

export function gradientText(variant: BackwardVariant): string {
  const {of, tile, layout, rotary, extras, columns, frame, whole} = variant;
  const side = of === 'queries' ? ofQueries(variant) : ofKeys(variant);
  const {bindings, sums} = side;
  const [first, end] = side.band;
  const lanes = tile.met / 4;
  const lines = tile.own / tile.rows;
  const perRow = (line: (i: number) => string) => each(tile.rows, line);
  const ifExtras = (text: string) => (extras ? text : '');
  return `// gradient of local attention, ${of}: ${tile.own} of them meet ${tile.met} of the others at a time
${buffers(bindings, bindings.slice(0, 2), layout)}
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

// of d channels and of dv, [column][row]; and of what they meet
var<workgroup> mine0: array<vec4<f32>, ${columns * tile.own}>;
var<workgroup> mine1: array<vec4<f32>, ${columns * tile.own}>;
var<workgroup> theirs0: array<vec4<f32>, ${columns * (tile.met + 1)}>;
var<workgroup> theirs1: array<vec4<f32>, ${columns * (tile.met + 1)}>;
var<workgroup> dScores: array<vec4<f32>, ${lanes * tile.own}>; // [four of met rows][own row]
${BANDS}
${FINITE}
${rotary ? angleOfInfo(layout) : ''}
${readers(variant)}
${reader('upstream', 'dout', 'u.valueDim', layout)}
${ifExtras(`${BIAS_OF_INFO}\n${ADJUSTED}\n${DROPOUT}`)}
${side.declarations}

@compute @workgroup_size(${lanes * lines})
fn main(${WORKGROUP}) {${BLOCK}
  let origin = ${side.origin}; // of the angles
  let end = ${end}(last);
  let metByAll = ${first}(last); // the rows from here to the next are
  let endMetByAll = ${end}(begin);
  let columns0 = (u.headDim + 3u) / 4u;
  let columns1 = (u.valueDim + 3u) / 4u;
${perRow(
  (i) => `  let own${i} = begin + line + ${i}u * LINES;
  let first${i} = ${first}(own${i});
  let end${i} = select(0u, ${end}(own${i}), own${i} < u.length);
  let info${i} = info[rowOfHead + min(own${i}, last)];
${side.beforeRow(i)}
${sums.map(({name, count}) => each(count, (c) => `  var ${name}${i}_${c} = vec4<f32>(0.0);`)).join('\n')}`,
)}
${
  whole
    ? `  const column = 0u;
    ${stageOwn(side, 0)}
    ${stageOwn(side, 1)}`
    : ''
}

  for (var base = ${first}(begin); base < end; base += MET) {
    let met = vec4<u32>(base + 4u * lane) + vec4<u32>(0u, 1u, 2u, 3u);
    let rows = vec4<u32>(rowOfHead) + min(met, vec4<u32>(u.length - 1u));
${side.atTile}
${perRow(
  (i) => `    var s${i} = vec4<f32>(0.0);
    var dp${i} = vec4<f32>(0.0);`,
)}
${productsOfTile(side, variant)}
${ifExtras(perRow((i) => `    s${i} = adjusted(s${i}, head, ${side.query(i)}, ${side.key(i)}, ${side.factor(i)});`))}
    if (base < metByAll || base + MET > endMetByAll) {
${perRow((i) => `      s${i} = select(vec4<f32>(${HIDDEN}), s${i}, (met >= vec4<u32>(first${i})) & (met < vec4<u32>(end${i})));`)}
    }
${perRow(
  (i) => `    {
      let hidden = s${i} == vec4<f32>(${HIDDEN});
      let power = exp(min(s${i} - ${side.largest(i)}, vec4<f32>(0.0)));
      // a weight of 0 takes nothing, though the sum may be NaN
      var weight = select(power * ${side.share(i)}, vec4<f32>(0.0), hidden | (power == vec4<f32>(0.0)));
${side.weigh(i)}
${ifExtras(`      var keep = vec4<f32>(1.0);
      if (u.dropThreshold != 0u) { keep = ${side.kept(i)}; }
      dp${i} *= keep;`)}
      var slope = select(weight * (dp${i} - ${side.mean(i)}), vec4<f32>(0.0), hidden);
${side.balance(i)}
${ifExtras(`      // the score of a token with itself is a constant
      slope = select(slope, vec4<f32>(0.0), (met == vec4<u32>(own${i})) & vec4<bool>(u.sharedQk != 0u));`)}
${Object.entries(side.factors(i))
  .map(([name, factor]) => `      ${name}[lane * OWN + line + ${i}u * LINES] = ${factor};`)
  .join('\n')}
    }`,
)}
    workgroupBarrier();
${addTile(side, variant)}
  }
${side.finish}
}
`;
}
