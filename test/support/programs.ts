/** The fused programs, by name: parity asks for each of them, and none may stand in for another. */
import * as tf from '@tensorflow/tfjs';

import {RELAXED} from '../../kernels/program/module.generated';
import '../../src';
import {BACKENDS, useBackend} from './backends';

export interface Program {
  name: string;
  backend: string;
  /** Of LOCAL_ATTENTION_WASM_BUILD. */
  build: 'simd' | 'relaxed';
}

const ALL: Program[] = [
  {name: 'wasm, simd', backend: 'wasm', build: 'simd'},
  {name: 'wasm, relaxed', backend: 'wasm', build: 'relaxed'},
  {name: 'cpu, simd', backend: 'cpu', build: 'simd'},
  {name: 'cpu, relaxed', backend: 'cpu', build: 'relaxed'},
];

export const RELAXED_RUNS = WebAssembly.validate(Buffer.from(RELAXED, 'base64'));

const here = ALL.filter(({backend}) => BACKENDS.includes(backend));

/** The programs that this run covers. */
export const PROGRAMS = here.filter(({build}) => build === 'simd' || RELAXED_RUNS);

for (const {name} of here.filter((program) => !PROGRAMS.includes(program))) {
  console.log(`skipped: ${name} (this engine has no relaxed SIMD)`);
}

const FLAG = 'LOCAL_ATTENTION_WASM_BUILD';

/** Makes a program the one that `implementation: 'fused'` runs; for `beforeAll`. */
export async function useProgram({backend, build}: Program) {
  await useBackend(backend);
  tf.env().set(FLAG, build);
}

/** Lets the engine choose again; for `afterAll`. */
export function useAnyProgram() {
  tf.env().set(FLAG, 'auto');
}
