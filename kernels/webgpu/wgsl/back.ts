/** The way back of what was done to queries and keys, and the tables as the gradient's kernels read them. */
import type {Layout} from './rows';

/** The angles behind the rows of info. */
export function angleOfInfo(layout: Layout): string {
  if (layout === 'aligned') {
    return `
fn angleAt(i: u32) -> vec4<f32> { return info[u.anglesAt / 4u + i]; }`;
  }
  return `
fn angleAt(i: u32) -> f32 { return info[(u.anglesAt + i) / 4u][(u.anglesAt + i) % 4u]; }`;
}

export const BIAS_OF_INFO = `
fn biasAt(i: u32) -> f32 { return info[(u.biasesAt + i) / 4u][(u.biasesAt + i) % 4u]; }`;

/** Rotates the block's rows of `buffer` back, in place; that of row r begins at number `table`. */
export function turnBack(buffer: string, table: string, layout: Layout): string {
  const unit = layout === 'aligned' ? 4 : 1;
  return `  storageBarrier();
  let half = u.headDim / ${2 * unit}u;
  for (var e = thread; e < OWN * half; e += THREADS) {
    let r = e / half;
    if (begin + r > last) { break; }
    let m = e % half;
    let table = (${table}) / ${unit}u;
    let cosines = angleAt(table + m);
    let sines = angleAt(table + half + m);
    let at = (rowOfHead + begin + r) * 2u * half + m;
    let x = ${buffer}[at];
    let y = ${buffer}[at + half];
    ${buffer}[at] = x * cosines + y * sines;
    ${buffer}[at + half] = y * cosines - x * sines;
  }`;
}

/** From the gradient of k / max(‖k‖, 1e-12), which dk holds, to that of k. */
export const NORMALISE_BACK = `
fn normaliseBack(row: u32) {
  let inverse = info[row].w;
  if (inverse == 0.0) { return; } // a masked key, whose gradient is 0
  let columns = (u.headDim + 3u) / 4u;
  var along = 0.0; // at less than the least norm the factor is a constant
  if (inverse < 1e12) {
    for (var c = 0u; c < columns; c++) { along += dot(key(row, c), gradientOfKey(row, c)); }
    along *= inverse * inverse;
  }
  for (var c = 0u; c < columns; c++) {
    writeKey(row, c, inverse * (gradientOfKey(row, c) - along * key(row, c)));
  }
}`;
