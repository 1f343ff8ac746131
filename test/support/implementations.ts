/**
 * Every way to compute on every backend of this run, by name: tests ask for each of them, and none
 * may stand in for another, as it would by `implementation: 'auto'`.
 */
import * as tf from '@tensorflow/tfjs';

import {RELAXED} from '../../kernels/program/module.generated';
import '../../src';
import {BACKENDS, useBackend} from './backends';

export interface Implemented {
  name: string;
  backend: string;
  implementation: 'composite' | 'fused';
  /** Of the fused kernels' WebAssembly, for LOCAL_ATTENTION_WASM_BUILD. */
  build?: 'simd' | 'relaxed';
}

const FLAG = 'LOCAL_ATTENTION_WASM_BUILD';
/** Those whose fused kernels are the WebAssembly of kernels/program. */
const PROGRAM_BACKENDS = ['cpu', 'wasm'];

export const RELAXED_RUNS = WebAssembly.validate(
  Uint8Array.from(atob(RELAXED), (letter) => letter.charCodeAt(0)),
);

const onGpu = (backend: string) => backend === 'webgl' || backend === 'webgpu';

/** Whether a fused kernel is measured beside the composite, and may be as far from the loops again. */
export const isBesideComposite = ({backend, implementation}: Implemented) =>
  implementation === 'fused' && !onGpu(backend);

function of(backend: string): Implemented[] {
  const composite = {name: `${backend}, composite`, backend, implementation: 'composite'} as const;
  if (!tf.getKernel('LocalAttention', backend)) return [composite];
  if (!PROGRAM_BACKENDS.includes(backend)) {
    return [composite, {name: `${backend}, fused`, backend, implementation: 'fused'}];
  }
  const fused = (['simd', 'relaxed'] as const).map((build) => {
    const name = `${backend}, fused, ${build}`;
    return {name, backend, implementation: 'fused', build} as const;
  });
  return [composite, ...fused];
}

const known = BACKENDS.flatMap(of);

/** Each with its name before it, for describe.each. */
export const IMPLEMENTATIONS = known
  .filter(({build}) => build !== 'relaxed' || RELAXED_RUNS)
  .map((one) => [one.name, one] as const);

/** Those that soon have an answer at new sizes: on a GPU the composite compiles fifty shaders first. */
export const QUICK = IMPLEMENTATIONS.filter(
  ([, {backend, implementation}]) => implementation === 'fused' || !onGpu(backend),
);

/**
 * The cases that an implementation is asked by default: of a composite on a GPU every seventh. All
 * where CASES is given.
 */
export function sampled<T>({backend, implementation}: Implemented, cases: readonly T[]): T[] {
  const all = process.env.CASES || implementation === 'fused' || !onGpu(backend);
  return cases.filter((_, at) => all || at % 7 === 0);
}

/** Those of one fused kernel each. */
export const FUSED = IMPLEMENTATIONS.filter(([, {implementation}]) => implementation === 'fused');

/** Those of ordinary ops. */
export const COMPOSITES = IMPLEMENTATIONS.filter(
  ([, {implementation}]) => implementation === 'composite',
);

/** Why implementations are left out, for the run to say. */
export const LEFT_OUT = known
  .filter(({build}) => build === 'relaxed' && !RELAXED_RUNS)
  .map(({name}) => `${name} (this engine has no relaxed SIMD)`);

/** Makes its backend the current one, and its build the one that runs; for `beforeAll`. */
export async function useImplementation({backend, build}: Implemented): Promise<void> {
  await useBackend(backend);
  tf.env().set(FLAG, build ?? 'auto');
}

/** Lets the engine choose again; for `afterAll`. */
export function useAnyBuild(): void {
  tf.env().set(FLAG, 'auto');
}
