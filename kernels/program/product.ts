/** A product of matrices by the program, on tensors of any backend that has a place for it. */
import type {TensorInfo} from '@tensorflow/tfjs';

import {writeStruct} from './call';
import {sizeOf} from './memory';
import {PRODUCT as PHASES} from './module';
import {PRODUCT as FIELDS} from './module.generated';
import {Enter, Place, compute} from './run';
import {threads} from './threads/workers';

/**
 * The least work that threads share, in multiply-adds: about 1.5 ms on one thread; and for each number
 * that is copied to where both can read it, which takes as long as some ten of them.
 */
const LEAST_WORK = 2 ** 25;
const LEAST_WORK_OF_A_NUMBER = 32;

/** Of one thread, at the most; assembly/product.ts says what for. */
const SCRATCH_BYTES = 2 ** 18;

export interface Product {
  /** float32 [matrices][rows][steps], or [matrices][steps][rows] where A is transposed. */
  a: TensorInfo;
  transposeA: boolean;
  /** float32 [matrices][steps][columns], or [matrices][columns][steps]. */
  b: TensorInfo;
  transposeB: boolean;
  rows: number;
  columns: number;
  steps: number;
  /** For each matrix of the result, which one of A and which one of B it is the product of. */
  pairs: readonly (readonly [ofA: number, ofB: number])[];
  /** Of the result. */
  shape: number[];
  /** Added to each row: float32 [columns]. */
  bias?: TensorInfo | null;
  /** What is below or above becomes the one or the other, and NaN the least if it does not stay. */
  clamp?: {least: number; most: number; keepsNaN: boolean} | null;
}

/** Whether a product fits into the 4 GiB of one memory. */
export function fits(p: Product): boolean {
  return (
    4 * (numbersOf(p) + packedSize(p)) + threads() * SCRATCH_BYTES + 8 * p.pairs.length < 2 ** 32
  );
}

/** Multiply-adds of a product. */
export function workOf({pairs, rows, columns, steps}: Product): number {
  return pairs.length * rows * columns * steps;
}

/** The product, or a `RangeError` where memory is short. */
export function multiply(enter: Enter, backend: unknown, p: Product): TensorInfo {
  const least = Math.max(LEAST_WORK, LEAST_WORK_OF_A_NUMBER * numbersOf(p));
  const isShareable = workOf(p) >= least;
  const [c] = compute(PHASES, isShareable, (shared) => enter(backend, shared), (place) => tell(p, place)); // prettier-ignore
  return c;
}

function tell(p: Product, place: Place): number {
  const {clamp} = p;
  const [a, b] = [place.address(p.a), place.address(p.b)];
  const bias = p.bias ? place.address(p.bias) : 0;
  const c = place.output(p.shape);
  const packed = place.scratch(4 * packedSize(p));
  const pairs = place.scratch(8 * p.pairs.length);
  new Int32Array(place.memory.buffer, pairs, 2 * p.pairs.length).set(p.pairs.flat());
  const call = {
    batch: p.pairs.length,
    rows: p.rows,
    columns: p.columns,
    steps: p.steps,
    transposeA: +p.transposeA,
    transposeB: +p.transposeB,
    matricesOfB: matricesOfB(p),
    clamps: +!!clamp,
    least: clamp?.least,
    most: clamp?.most,
    keepsNaN: +!!clamp?.keepsNaN,
    a,
    b,
    bias,
    c,
    pairs,
    packed,
  };
  return writeStruct(FIELDS, call, place);
}

/** Of both factors and the product. */
function numbersOf(p: Product): number {
  return sizeOf(p.a.shape) + sizeOf(p.b.shape) + sizeOf(p.shape);
}

function matricesOfB({b, columns, steps}: Product): number {
  return sizeOf(b.shape) / (columns * steps);
}

function packedSize(p: Product): number {
  return matricesOfB(p) * Math.ceil(p.columns / 8) * 8 * p.steps;
}
