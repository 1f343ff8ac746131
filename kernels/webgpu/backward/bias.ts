/**
 * The fourth kernel of the gradient, of the bias: dBias = dS summed over batch and windows.
 *
 * A workgroup has one row of one head's table and four of its slots. Its threads share the pairs of
 * batch entry and window, and add up what they found in workgroup memory, always in the same order.
 */
import type {Variant} from '../forward/tile';
import {angleOfInfo, BIAS_OF_INFO} from '../wgsl/back';
import {BANDS} from '../wgsl/bands';
import {WORKGROUP, buffers, callStruct} from '../wgsl/call';
import {reader, readers} from '../wgsl/rows';
import {ADJUSTED, DROPOUT, FINITE, HIDDEN} from '../wgsl/scores';
import {each, list} from '../wgsl/text';

export const THREADS = 32;
/** Slots of a workgroup. */
export const SLOTS = 4;

export const BIAS_BINDINGS = ['dbias', 'q', 'k', 'v', 'dout', 'info', 'balance'];

export function biasGradientText({layout, rotary, tile: {queries: frame}}: Variant): string {
  const key = (j: number) =>
    rotary
      ? `turnedKey(rows[${j}], c, u.keyAngles + (positions[${j}] - origin) * u.headDim)`
      : `key(rows[${j}], c)`;
  return `// gradient of local attention, bias: one row and ${SLOTS} slots
${buffers(BIAS_BINDINGS, ['dbias'], layout)}
${callStruct(BIAS_BINDINGS.length)}

const THREADS = ${THREADS}u;
const FRAME = ${frame}u; // queries that share an origin of angles in the forward kernel
var<workgroup> sums: array<vec4<f32>, ${THREADS}>;
${BANDS}
${FINITE}
${rotary ? angleOfInfo(layout) : ''}
${readers({layout, rotary})}
${reader('upstream', 'dout', 'u.valueDim', layout)}
${BIAS_OF_INFO}
${ADJUSTED}
${DROPOUT}

@compute @workgroup_size(${THREADS})
fn main(${WORKGROUP}) {
  let id = numberOf(group, groups);
  if (id >= u.stop) { return; }
  let context = (1u + u.lookBackward + u.lookForward) * u.windowSize;
  let fours = (context + 3u) / 4u;
  let slots = vec4<u32>(id % fours * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
  let inWindow = id / fours % u.windowSize;
  let table = id / fours / u.windowSize;
  let windows = (u.length + u.windowSize - 1u) / u.windowSize;
  let entries = u.batch * u.heads / u.biasHeads;
  let back = u.lookBackward * u.windowSize;

  var sum = vec4<f32>(0.0);
  for (var item = thread; item < entries * windows; item += THREADS) {
    let window = item % windows * u.windowSize;
    let i = window + inWindow;
    if (i >= u.length) { continue; }
    let keys = vec4<u32>(window) + slots - back; // those before the first token wrap around
    let seen = (keys >= vec4<u32>(firstKey(i))) & (keys < vec4<u32>(endKey(i)));
    if (!any(seen)) { continue; }
    let head = item / windows * u.biasHeads + table;
    let origin = contextOf(i / FRAME * FRAME);
    let rowOfHead = head * u.length;
    let row = rowOfHead + i;
    let positions = select(vec4<u32>(i), keys, seen);
    let rows = vec4<u32>(rowOfHead) + positions;
    var s = vec4<f32>(0.0);
    for (var c = 0u; 4u * c < u.headDim; c++) {
      let x = finite(${rotary ? 'turnedQuery(row, c, (i - origin) * u.headDim)' : 'query(row, c)'});
      s += vec4<f32>(${list(4, (j) => `dot(x, finite(${key(j)}))`)});
    }
    var dp = vec4<f32>(0.0);
    for (var c = 0u; 4u * c < u.valueDim; c++) {
      let x = finite(upstream(row, c));
      dp += vec4<f32>(${list(4, (j) => `dot(x, finite(value(rows[${j}], c)))`)});
    }
${each(4, (j) => `    let factor${j} = info[rows[${j}]].w;`)}
    s = adjusted(s, head, vec4<u32>(i), keys, vec4<f32>(${list(4, (j) => `factor${j}`)}));
    let hidden = (s == vec4<f32>(${HIDDEN})) | !seen;
    let known = info[row];
    if (u.dropThreshold != 0u) {
      let random = randomOf(head, i);
      dp *= kept(vec4<u32>(random.x), vec4<u32>(random.y), keys);
    }
    var slope = select(exp(min(s - known.x, vec4<f32>(0.0))) * known.y * (dp - known.z), vec4<f32>(0.0), hidden);
    slope = select(slope, vec4<f32>(0.0), (keys == vec4<u32>(i)) & vec4<bool>(u.sharedQk != 0u));
    let ahead = balance[row];
    sum += slope - select(vec4<f32>(0.0), vec4<f32>(bitcast<f32>(ahead.y)), keys == vec4<u32>(ahead.x));
  }
  sums[thread] = sum;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { sums[thread] += sums[thread + half]; }
  }
  if (thread == 0u) {
    let at = (table * u.windowSize + inWindow) * context;
${each(4, (j) => `    if (slots[${j}] < context) { dbias[at + slots[${j}]] = sums[0][${j}]; }`)}
  }
}
`;
}
