/**
 * BatchMatMul and _FusedMatMul on wasm and cpu by our own program, `kernels/program/product.ts`:
 *
 *     C = activation(A B + bias)
 *
 * with any transposes, any batch, and all that TF.js has of the rest. Small products are left to TF.js
 * where it is faster, and so is what none of ours can serve.
 */
import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';

import {enter as enterCpu} from '../cpu';
import {unsupportedEngine} from '../program/module';
import {Product, fits, multiply, workOf} from '../program/product';
import type {Enter} from '../program/run';
import {enter as enterWasm} from '../wasm';
import {fusedMatMul, isForXnnpack} from './mat_mul_fused';
import {MatMulAttrs, MatMulInputs, problemOf} from './mat_mul_problem';
import type {Replacement} from './replacement';

/** A backend whose products we compute. */
interface Host {
  backend: 'wasm' | 'cpu';
  enter: Enter;
  reason: string;
  /** The least work that we take from TF.js, in multiply-adds. */
  leastWork(p: Product): number;
}

export const HOSTS: readonly Host[] = [
  {
    backend: 'wasm',
    enter: enterWasm,
    reason: 'it multiplies number by number where matrices are transposed or come in batches',
    leastWork(p) {
      if (!isForXnnpack(p)) return 2 ** 11;
      // it packs B once for all calls, and each of ours does
      return p.rows < 16 || p.columns < 8 ? Infinity : 2 ** 16;
    },
  },
  {
    backend: 'cpu',
    enter: enterCpu,
    reason: 'it multiplies number by number in JavaScript',
    leastWork: () => 2 ** 11,
  },
];

/** The product, or null where it is TF.js's turn. */
function attempt(host: Host, backend: object, p: Product, isOurs: boolean): TensorInfo | null {
  if (!isOurs && workOf(p) < host.leastWork(p)) return null;
  if (!fits(p) || unsupportedEngine() !== null) return null;
  try {
    return multiply(host.enter, backend, p);
  } catch (error) {
    if (error instanceof RangeError) return null; // memory is short
    throw error;
  }
}

function batchMatMul(host: Host, theirs: KernelFunc): KernelFunc {
  return (call) => {
    const {inputs, attrs, backend} = call;
    const problem = problemOf(inputs as unknown as MatMulInputs, attrs as unknown as MatMulAttrs);
    if (!problem) return theirs(call);
    const {product, isMispaired} = problem;
    return attempt(host, backend, product, isMispaired) ?? theirs(call);
  };
}

/** Both kernels of a host. */
export function replacements(host: Host): Replacement[] {
  const {backend, reason} = host;
  const multiply = attempt.bind(null, host);
  return [
    {kernel: 'BatchMatMul', backend, reason, make: (theirs) => batchMatMul(host, theirs)},
    {kernel: '_FusedMatMul', backend, reason, make: (theirs) => fusedMatMul(backend, multiply, theirs)}, // prettier-ignore
  ];
}

/** None where the program does not run: src/nn transposes for TF.js's then. */
export const MAT_MUL: readonly Replacement[] =
  unsupportedEngine() === null ? HOSTS.flatMap(replacements) : [];
