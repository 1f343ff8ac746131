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
  /** Of LOCAL_ATTENTION_CPU. */
  cpu: 'wasm' | 'loops';
}

const ALL: Program[] = [
  {name: 'wasm, simd', backend: 'wasm', build: 'simd', cpu: 'wasm'},
  {name: 'wasm, relaxed', backend: 'wasm', build: 'relaxed', cpu: 'wasm'},
  {name: 'cpu, by wasm, simd', backend: 'cpu', build: 'simd', cpu: 'wasm'},
  {name: 'cpu, by wasm, relaxed', backend: 'cpu', build: 'relaxed', cpu: 'wasm'},
  {name: 'cpu, by loops', backend: 'cpu', build: 'simd', cpu: 'loops'},
];

export const RELAXED_RUNS = WebAssembly.validate(Buffer.from(RELAXED, 'base64'));

const here = ALL.filter(({backend}) => BACKENDS.includes(backend));

/** The programs that this run covers. */
export const PROGRAMS = here.filter(({build}) => build === 'simd' || RELAXED_RUNS);

for (const {name} of here.filter((program) => !PROGRAMS.includes(program))) {
  console.log(`skipped: ${name} (this engine has no relaxed SIMD)`);
}

const FLAGS = ['LOCAL_ATTENTION_CPU', 'LOCAL_ATTENTION_WASM_BUILD'];

/** Makes a program the one that `implementation: 'fused'` runs; for `beforeAll`. */
export async function useProgram({backend, build, cpu}: Program) {
  await useBackend(backend);
  tf.env().set('LOCAL_ATTENTION_CPU', cpu);
  tf.env().set('LOCAL_ATTENTION_WASM_BUILD', build);
}

/** Lets the engine choose again; for `afterAll`. */
export function useAnyProgram() {
  for (const flag of FLAGS) tf.env().set(flag, 'auto');
}
