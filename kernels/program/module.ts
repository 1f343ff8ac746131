/**
 * The WebAssembly module: which build of it runs, what it exports, and how it is told a problem.
 * TF.js's flag LOCAL_ATTENTION_WASM_BUILD names a build; 'relaxed' is faster than 'simd', and its
 * last bits may differ from machine to machine.
 */
import * as tf from '@tensorflow/tfjs';

import {fail, refuse} from '../../src/check/errors';
import type {Facts} from '../../src/attention/fused';
import {RELAXED, RELAXED_SHARED, SIMD, SIMD_SHARED} from './module.generated';

/** What assembly/index.ts exports. Pointers and sizes are in bytes. */
export interface Exports {
  configure(...facts: number[]): void;
  configureDropout(...facts: number[]): void;
  configureRotary(...tables: number[]): void;
  bind(...tensors: number[]): void;
  bindGradients(...tensors: number[]): void;
  clear(...region: number[]): void;
  /** Of a phase: its items, the scratch memory of one of them, and the computation of one. */
  items(phase: Phase): number;
  scratchBytes(phase: Phase): number;
  compute(phase: Phase, item: number, scratch: number): void;
}

/** A call of an export, as data. */
export type Call = [
  name: 'configure' | 'configureDropout' | 'configureRotary' | 'bind' | 'bindGradients' | 'clear',
  args: number[],
];

/** What must end before more is begun: the forward pass, and the halves of the backward pass. */
export type Phase = 0 | 1 | 2;
export const FORWARD: readonly Phase[] = [0];
export const BACKWARD: readonly Phase[] = [1, 2];

/** Where tensors lie; 0 for what is not there. */
export interface Pointers {
  q: number;
  k: number;
  v: number;
  mask: number;
  maskRows: number;
  bias: number;
  queryAngles: number;
  keyAngles: number;
  out: number;
  logSumExp: number;
}

export interface GradPointers {
  dout: number;
  dq: number;
  dk: number;
  dv: number;
  dbias: number;
}

type Build = 'relaxed' | 'simd';
type Bytes = keyof typeof BYTES;

const BYTES = {
  relaxed: RELAXED,
  simd: SIMD,
  relaxedShared: RELAXED_SHARED,
  simdShared: SIMD_SHARED,
};
const FLAG = 'LOCAL_ATTENTION_WASM_BUILD';
tf.env().registerFlag(FLAG, () => 'auto');

const compiled = new Map<Bytes, WebAssembly.Module | null>();
const instances = new WeakMap<WebAssembly.Memory, Map<WebAssembly.Module, Exports>>();

/** A module, or null where this engine does not run it. */
function compile(name: Bytes): WebAssembly.Module | null {
  if (!compiled.has(name)) {
    const bytes = decode(BYTES[name]);
    const runs = typeof WebAssembly !== 'undefined' && WebAssembly.validate(bytes);
    compiled.set(name, runs ? new WebAssembly.Module(bytes) : null);
  }
  return compiled.get(name)!;
}

/** The build that the flag asks for, the fastest one that runs with 'auto'; null if none does. */
function chosenBuild(): Build | null {
  const wanted = tf.env().getString(FLAG);
  if (wanted === 'auto') return compile('relaxed') ? 'relaxed' : compile('simd') ? 'simd' : null;
  if (wanted !== 'relaxed' && wanted !== 'simd') {
    return fail('localAttention', `${FLAG} must be 'auto', 'relaxed' or 'simd'`, wanted);
  }
  if (compile(wanted)) return wanted;
  return refuse('localAttention', `${FLAG} is '${wanted}', which this engine does not run`);
}

/** Why the module cannot run here at all, or null. */
export function refusesEngine(): string | null {
  return chosenBuild() ? null : 'this engine has no SIMD in WebAssembly';
}

/** Why no thread can share the work of this engine's module, or null. */
export function refusesThreads(): string | null {
  const build = chosenBuild();
  if (!build) return refusesEngine();
  return compile(`${build}Shared`) ? null : 'this engine has no threads in WebAssembly';
}

/** Why `p` and its gradient do not fit into the 4 GiB of one memory, or null. */
export function refusesSize(p: Facts, threads = 1): string | null {
  const {b, n, d, dv, w, context} = p;
  const rows = Math.min(n, context + w + 64);
  const tensors = b * n * (4 * d + 4 * dv + 1);
  const scratch = rows * (2 * d + dv + 24) + 64 * (4 * d + 3 * dv + 200);
  const gib = (tensors + threads * scratch + 2 * rows * d) / 2 ** 28;
  return gib < 4 ? null : `this call and its gradient take ${gib.toFixed(1)} GiB of at most 4`;
}

/** Whether threads share a memory; asked by name, as each realm has its own class. */
export function isShared(memory: WebAssembly.Memory): boolean {
  return (memory.buffer as ArrayBufferLike)[Symbol.toStringTag] === 'SharedArrayBuffer';
}

/** The module for memories that threads share, or for others. */
export function moduleFor(shared: boolean): WebAssembly.Module {
  const build = chosenBuild()!;
  return compile(shared ? `${build}Shared` : build)!;
}

/** The module in a memory, one instance for each build. */
export function instantiate(memory: WebAssembly.Memory): Exports {
  const module = moduleFor(isShared(memory));
  const builds = instances.get(memory) ?? new Map<WebAssembly.Module, Exports>();
  instances.set(memory, builds);
  if (!builds.has(module)) {
    const instance = new WebAssembly.Instance(module, {env: {memory}});
    builds.set(module, instance.exports as unknown as Exports);
  }
  return builds.get(module)!;
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** What tells the module a problem, and where its tensors are. */
export function callsOf(p: Facts, at: Pointers): Call[] {
  const {b, n, d, dv, w, back, forward, causal, exact, sharedQk, scale} = p;
  const threshold = Math.min(Math.ceil(p.dropout * 2 ** 32), 2 ** 32 - 1);
  return [
    ['configure', [b, n, d, dv, w, back, forward, +causal, +exact, +sharedQk, scale]],
    ['configureDropout', [threshold, 1 / (1 - p.dropout), p.seed]],
    ['configureRotary', [at.queryAngles, at.keyAngles]],
    ['bind', [at.q, at.k, at.v, at.mask, at.maskRows, at.bias, p.heads, at.out, at.logSumExp]],
  ];
}

export function gradientCall({dout, dq, dk, dv, dbias}: GradPointers): Call {
  return ['bindGradients', [dout, dq, dk, dv, dbias]];
}
