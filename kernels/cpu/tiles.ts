/**
 * The arithmetic that the loops are made of: 4 × 4 tiles, and e^x. All of it in float64, which is
 * as fast as float32 here: engines would widen every number they load from a Float32Array.
 */

/**
 * A factor of a product, four rows (or columns) side by side: element t of row 4 · i + lane is
 * values[at + i · panel + t · step + lane].
 */
export interface Panels {
  values: Float64Array;
  at: number;
  panel: number;
  step: number;
}

/** Element j of row i is values[at + i · row + j]. */
export interface Rows {
  values: Float64Array;
  at: number;
  row: number;
}

/** The next multiple of 4. */
export function roundUp4(x: number): number {
  return (x + 3) & ~3;
}

/**
 * C[i][j] += Σ_t A[i][t] · B[j][t] for `rows` × `columns`, both multiples of 4, and `steps` of t.
 * Four numbers that are used together lie together: with a stride between them the loop is a
 * fifth slower, and 4 × 3 or 3 × 3 tiles gain nothing, nor does unrolling.
 */
export function multiply(
  rows: number,
  columns: number,
  steps: number,
  a: Panels,
  b: Panels,
  c: Rows,
): void {
  for (let i = 0; i < rows; i = (i + 4) | 0) {
    const x = (a.at + Math.imul(i >> 2, a.panel)) | 0;
    const z = (c.at + Math.imul(i, c.row)) | 0;
    for (let j = 0; j < columns; j = (j + 4) | 0) {
      const y = (b.at + Math.imul(j >> 2, b.panel)) | 0;
      tile(steps, a.values, x, a.step, b.values, y, b.step, c.values, (z + j) | 0, c.row);
    }
  }
}

// `| 0` keeps indices whole: without it the engine checks each sum for overflow
function tile(
  steps: number,
  a: Float64Array,
  x: number,
  aStep: number,
  b: Float64Array,
  y: number,
  bStep: number,
  c: Float64Array,
  z: number,
  row: number,
): void {
  let c00 = 0;
  let c01 = 0;
  let c02 = 0;
  let c03 = 0;
  let c10 = 0;
  let c11 = 0;
  let c12 = 0;
  let c13 = 0;
  let c20 = 0;
  let c21 = 0;
  let c22 = 0;
  let c23 = 0;
  let c30 = 0;
  let c31 = 0;
  let c32 = 0;
  let c33 = 0;
  for (let t = 0; t < steps; t = (t + 1) | 0) {
    const b0 = b[y];
    const b1 = b[(y + 1) | 0];
    const b2 = b[(y + 2) | 0];
    const b3 = b[(y + 3) | 0];
    const a0 = a[x];
    c00 += a0 * b0;
    c01 += a0 * b1;
    c02 += a0 * b2;
    c03 += a0 * b3;
    const a1 = a[(x + 1) | 0];
    c10 += a1 * b0;
    c11 += a1 * b1;
    c12 += a1 * b2;
    c13 += a1 * b3;
    const a2 = a[(x + 2) | 0];
    c20 += a2 * b0;
    c21 += a2 * b1;
    c22 += a2 * b2;
    c23 += a2 * b3;
    const a3 = a[(x + 3) | 0];
    c30 += a3 * b0;
    c31 += a3 * b1;
    c32 += a3 * b2;
    c33 += a3 * b3;
    x = (x + aStep) | 0;
    y = (y + bStep) | 0;
  }
  c[z] += c00;
  c[z + 1] += c01;
  c[z + 2] += c02;
  c[z + 3] += c03;
  z = (z + row) | 0;
  c[z] += c10;
  c[z + 1] += c11;
  c[z + 2] += c12;
  c[z + 3] += c13;
  z = (z + row) | 0;
  c[z] += c20;
  c[z + 1] += c21;
  c[z + 2] += c22;
  c[z + 3] += c23;
  z = (z + row) | 0;
  c[z] += c30;
  c[z + 1] += c31;
  c[z + 2] += c32;
  c[z + 3] += c33;
}

/** {@link multiply} where a 0 in A takes nothing from B, be it NaN or infinite. */
export function multiplyCarefully(
  rows: number,
  columns: number,
  steps: number,
  a: Panels,
  b: Panels,
  c: Rows,
): void {
  const at = ({at, panel, step}: Panels, i: number, t: number) =>
    at + (i >> 2) * panel + t * step + (i & 3);
  for (let i = 0; i < rows; i++) {
    for (let t = 0; t < steps; t++) {
      const factor = a.values[at(a, i, t)];
      if (factor === 0) continue;
      const to = c.at + i * c.row;
      for (let j = 0; j < columns; j++) c.values[to + j] += factor * b.values[at(b, j, t)];
    }
  }
}

/** Rows of `width` numbers, `wide` apart, four side by side: [rows / 4][width][4]. */
export function interleave(
  from: Float64Array,
  rows: number,
  width: number,
  wide: number,
  to: Float64Array,
): void {
  for (let r = 0; r < rows; r++) {
    const at = (r >> 2) * width * 4 + (r & 3);
    for (let c = 0; c < width; c++) to[at + c * 4] = from[r * wide + c];
  }
}

const PARTS = 32; // of an octave
const LOWEST = -87; // e^−87 is about the least normal float32
const OCTAVES = 127;
const FRACTIONS = Float64Array.from({length: PARTS}, (_, part) => 2 ** (-part / PARTS));
const POWERS = Float64Array.from({length: OCTAVES}, (_, octave) => 2 ** -octave);

/** e^x for x ≤ 0, to 6e-10 of itself; exactly 0 below −87. */
export function exp(x: number): number {
  if (x < LOWEST) return 0;
  const parts = (0.5 - x * (PARTS / Math.LN2)) | 0; // to the nearest one
  const r = x + parts * (Math.LN2 / PARTS);
  const power = 1 + r * (1 + r * (1 / 2 + r * (1 / 6)));
  return power * FRACTIONS[parts & (PARTS - 1)] * POWERS[parts >> 5];
}
