/**
 * The first kernel of the gradient: what the others ask of a row, in one buffer.
 *
 *     info[row] = (largest score, 1 / Σ exp(score − largest), dout · out, factor of the key)
 *
 * and behind the rows the biases and the angles, because a shader binds eight buffers and no more.
 */
import type {Variant} from '../forward/tile';
import {WORKGROUP, buffers, callStruct} from '../wgsl/call';
import {reader} from '../wgsl/rows';
import {FACTOR_OF_KEY, FINITE} from '../wgsl/scores';

export const THREADS = 64;

export function prepareBindings({rotary, extras}: Variant): string[] {
  return [
    'info',
    'out',
    'dout',
    'stats',
    ...(extras ? ['k', 'mask', 'bias'] : []),
    ...(rotary ? ['tables'] : []),
  ];
}

export function prepareText(variant: Variant): string {
  const {layout, extras, rotary} = variant;
  const bindings = prepareBindings(variant);
  return `// gradient of local attention: what is known of each row
${buffers(bindings, ['info'], layout)}
${callStruct(bindings.length)}
${FINITE}
${reader('outRow', 'out', 'u.valueDim', layout)}
${reader('upstream', 'dout', 'u.valueDim', layout)}
${extras ? `${reader('key', 'k', 'u.headDim', layout)}\n${FACTOR_OF_KEY}` : ''}

@compute @workgroup_size(${THREADS})
fn main(${WORKGROUP}) {
  let at = numberOf(group, groups) * ${THREADS}u + thread;
  let rows = u.batch * u.heads * u.length;
  if (at < rows) {
    var product = 0.0; // summed up as the products of dout and values are
    var strange = vec4<bool>(false);
    for (var c = 0u; 4u * c < u.valueDim; c++) {
      let x = upstream(at, c);
      product += dot(x, outRow(at, c));
      strange |= unusual(x);
    }
    let sum = stats[2u * at + 1u];
    var share = select(1.0 / sum, 0.0, bitcast<u32>(sum) == 0u);
    // what is not finite is no factor of the sums to come, so weights carry it
    if (any(strange)) { share = u.nan; }
    info[at] = vec4<f32>(stats[2u * at], share, product, ${extras ? 'factorOfKey(at / u.length, at % u.length)' : '1.0'});
  }
${extras ? copy('biasesAt', 'bias', 'u.biased * u.biasHeads * u.windowSize * (1u + u.lookBackward + u.lookForward) * u.windowSize') : ''}
${rotary ? copy('anglesAt', 'tables', 'arrayLength(&tables)') : ''}
}
`;
}

/** Fours of `count` numbers, into their place; a buffer may be larger than its tensor. */
function copy(place: string, from: string, count: string): string {
  return `  if (4u * at >= u.${place} && 4u * at - u.${place} < ${count}) {
    let i = 4u * at - u.${place};
    let last = ${count} - 1u;
    info[at] = vec4<f32>(${from}[i], ${from}[min(i + 1u, last)], ${from}[min(i + 2u, last)], ${from}[min(i + 3u, last)]);
  }`;
}
