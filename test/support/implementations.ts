/**
 * Every way to compute on every backend of this run, by name: tests ask for each of them, and none
 * may stand in for another, as it would by `implementation: 'auto'`.
 */
import * as tf from '@tensorflow/tfjs';

import {bytesOf} from '../../kernels/program/module';
import '../../src';
import {BACKENDS, useBackend} from './backends';
import {Optional, SAMPLED, covering} from './sample';
import {FLOAT16} from './tolerance';

export interface Implemented {
  name: string;
  backend: string;
  implementation: 'composite' | 'fused';
  /** Of the fused kernels' WebAssembly, for LOCAL_ATTENTION_WASM_BUILD. */
  build?: 'simd' | 'relaxed';
  /** That a shader of webgl draws to at once, for LOCAL_ATTENTION_WEBGL_TARGETS. */
  targets?: 8 | 4 | 2 | 1;
}

const BUILD = 'LOCAL_ATTENTION_WASM_BUILD';
const TARGETS = 'LOCAL_ATTENTION_WEBGL_TARGETS';

export const RELAXED_RUNS = WebAssembly.validate(bytesOf('relaxed'));

const onGpu = (backend: string) => backend === 'webgl' || backend === 'webgpu';

/** Whether a fused kernel is measured beside the composite, and may be as far from the loops again. */
export const isBesideComposite = ({backend, implementation}: Implemented) =>
  implementation === 'fused' && !onGpu(backend);

function of(backend: string): Implemented[] {
  const composite = {name: `${backend}, composite`, backend, implementation: 'composite'} as const;
  if (!tf.getKernel('LocalAttention', backend)) return [composite];
  const fused = {backend, implementation: 'fused'} as const;
  const name = `${backend}, fused`;
  if (backend === 'webgpu') return [composite, {name, ...fused}];
  if (backend === 'webgl') {
    const counts = [8, 4, 2, 1] as const;
    return [
      composite,
      ...counts.map((targets) => ({name: `${name}, ${targets} targets`, ...fused, targets})),
    ];
  }
  const builds = ['simd', 'relaxed'] as const;
  return [composite, ...builds.map((build) => ({name: `${name}, ${build}`, ...fused, build}))];
}

/**
 * A GPU compiles before it computes: some fifty shaders for the composite at new sizes, and all again
 * for another number of targets. Where CASES is given, that is no matter.
 */
const isSlow = ({backend, implementation, targets = 8}: Implemented) =>
  !process.env.CASES && onGpu(backend) && (implementation === 'composite' || targets < 8);

/**
 * A page that repeats what another place asks whole leaves to it those that are slow; but the
 * composite hides keys by other numbers in float16, which no other place has: a case that masks them
 * and a case padded are asked.
 */
const HIDING = 2;
const isLeft = (one: Implemented) =>
  SAMPLED && isSlow(one) && !(FLOAT16 && one.implementation === 'composite');
const known = BACKENDS.flatMap(of).filter((one) => !isLeft(one));

/** Each with its name before it, for describe.each. */
export const IMPLEMENTATIONS = known
  .filter(({build}) => build !== 'relaxed' || RELAXED_RUNS)
  .map((one) => [one.name, one] as const);

/** Those that are asked whatever there is to ask. */
export const QUICK = IMPLEMENTATIONS.filter(([, one]) => !isSlow(one));

/** All but those of fewer targets than there are: only shaders know how many, so only cases ask. */
export const WITH_ALL_TARGETS = IMPLEMENTATIONS.filter(
  ([, one]) => one.targets === undefined || one.targets === 8 || process.env.CASES,
);

/**
 * The cases that an implementation is asked: all, or so few that each option is among them.
 *
 * @param most of those few, where even they would take minutes
 */
export function sampled<T extends Optional>(
  one: Implemented,
  cases: readonly T[],
  most = Infinity,
): readonly T[] {
  if (isSlow(one)) return covering(cases).slice(0, SAMPLED ? HIDING : most);
  return SAMPLED ? covering(cases) : cases;
}

/** The same for what a GPU compiles anew at each size, though kernels of ours take any. */
export function sampledOnGpu<T extends Optional>(one: Implemented, cases: readonly T[]) {
  return onGpu(one.backend) && !process.env.CASES ? covering(cases) : sampled(one, cases);
}

/** Those of one fused kernel each. */
export const FUSED = IMPLEMENTATIONS.filter(([, {implementation}]) => implementation === 'fused');

/** Of them, those of the WebAssembly program. */
export const PROGRAMS = FUSED.filter(([, {build}]) => build !== undefined);

/** Those of ordinary ops. */
export const COMPOSITES = IMPLEMENTATIONS.filter(
  ([, {implementation}]) => implementation === 'composite',
);

/** Why implementations are left out, for the run to say. */
export const LEFT_OUT = known
  .filter(({build}) => build === 'relaxed' && !RELAXED_RUNS)
  .map(({name}) => `${name} (this engine has no relaxed SIMD)`);

/** Makes its backend the current one, and its variant the one that runs; for `beforeAll`. */
export async function useImplementation({backend, build, targets}: Implemented): Promise<void> {
  await useBackend(backend);
  tf.env().set(BUILD, build ?? 'auto');
  tf.env().set(TARGETS, targets ?? 'auto');
}

/** Lets the engine choose again; for `afterAll`. */
export function useAnyBuild(): void {
  for (const flag of [BUILD, TARGETS]) tf.env().set(flag, 'auto');
}
