/** A product of matrices: what it is told, as {@link Call} says it of attention. */
import {call} from './call';

/** C[z] = A B + bias for z of `batch`, each z with an A and a B of its own choice. */
@unmanaged
export class Product {
  batch: i32;
  rows: i32;
  columns: i32;
  steps: i32;
  /** Whether A lies as [steps][rows] and not as [rows][steps], and B as [columns][steps]. */
  transposeA: i32;
  transposeB: i32;
  /** How many matrices lie in B. */
  matricesOfB: i32;
  /** Whether sums are raised to `least` and lowered to `most`, and whether NaN then stays NaN. */
  clamps: i32;
  least: f32;
  most: f32;
  keepsNaN: i32;
  a: usize;
  b: usize;
  /** [columns] */
  bias: usize;
  /** [batch][rows][columns] */
  c: usize;
  /** i32 [batch][2]: which matrix of A, and which of B */
  pairs: usize;
  /** Room for B, packed: [matrices][columns / 8][steps][8] */
  packed: usize;
}

/** The product that is computed. */
// @ts-ignore: decorator
@inline
export function product(): Product {
  return changetype<Product>(changetype<usize>(call));
}

/** How many parts a whole is cut into. */
// @ts-ignore: decorator
@inline
export function parts(whole: i32, part: i32): i32 {
  return (whole + part - 1) / part;
}

/** Eights of columns. */
// @ts-ignore: decorator
@inline
export function eights(): i32 {
  return parts(product().columns, 8);
}
