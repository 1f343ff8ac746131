/**
 * The WebAssembly module: which build of it runs, what it exports, and its walk over the heads.
 * TF.js's flag LOCAL_ATTENTION_WASM_BUILD names a build; 'relaxed' is faster than 'simd', and its
 * last bits may differ from machine to machine.
 */
import * as tf from '@tensorflow/tfjs';

import {fail, refuse} from '../../src/errors';
import type {Facts} from '../../src/fused';
import {RELAXED, SIMD} from './module.generated';

/** What assembly/index.ts exports. Pointers and sizes are in bytes. */
export interface Exports {
  clear(pointer: number, bytes: number): void;
  configure(
    n: number,
    d: number,
    dv: number,
    w: number,
    back: number,
    forward: number,
    causal: number,
    exact: number,
    sharedQk: number,
    scale: number,
  ): void;
  configureDropout(threshold: number, factor: number, seed: number): void;
  configureRotary(queryTable: number, keyTable: number): void;
  forwardScratch(): number;
  backwardScratch(): number;
  attend(...pointers: number[]): void;
  attendBackward(...pointers: number[]): void;
}

/** Where tensors lie; 0 for what is not there. */
export interface Pointers {
  q: number;
  k: number;
  v: number;
  mask: number;
  bias: number;
  queryAngles: number;
  keyAngles: number;
  out: number;
  logSumExp: number;
}

export interface GradPointers extends Pointers {
  dout: number;
  dq: number;
  dk: number;
  dv: number;
  dbias: number;
}

type Build = 'relaxed' | 'simd';

const BYTES: Record<Build, string> = {relaxed: RELAXED, simd: SIMD};
const FLAG = 'LOCAL_ATTENTION_WASM_BUILD';
tf.env().registerFlag(FLAG, () => 'auto');

const compiled = new Map<Build, WebAssembly.Module | null>();
const instances = new WeakMap<WebAssembly.Memory, Map<Build, Exports>>();

/** A build, or null where this engine does not run it. */
function compile(build: Build): WebAssembly.Module | null {
  if (!compiled.has(build)) {
    const bytes = decode(BYTES[build]);
    const runs = typeof WebAssembly !== 'undefined' && WebAssembly.validate(bytes);
    compiled.set(build, runs ? new WebAssembly.Module(bytes) : null);
  }
  return compiled.get(build)!;
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

/** Why `p` and its gradient do not fit into the 4 GiB of one memory, or null. */
export function refusesSize(p: Facts): string | null {
  const {b, n, d, dv, w, context} = p;
  const rows = Math.min(n, context + w + 64);
  const tensors = b * n * (4 * d + 4 * dv + 1);
  const scratch = rows * (2 * d + dv + 24) + 64 * (4 * d + 3 * dv + 200);
  const gib = (tensors + scratch + 2 * rows * d) / 2 ** 28;
  return gib < 4 ? null : `this call and its gradient take ${gib.toFixed(1)} GiB of at most 4`;
}

/** The module in a memory, one instance for each build. */
export function instantiate(memory: WebAssembly.Memory): Exports {
  const build = chosenBuild()!;
  const builds = instances.get(memory) ?? new Map<Build, Exports>();
  instances.set(memory, builds);
  if (!builds.has(build)) {
    const instance = new WebAssembly.Instance(compile(build)!, {env: {memory}});
    builds.set(build, instance.exports as unknown as Exports);
  }
  return builds.get(build)!;
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** Tells the module the problem; the sizes of its scratch memory are those of this problem then. */
export function configure(module: Exports, p: Facts): void {
  const {n, d, dv, w, back, forward, causal, exact, sharedQk, scale} = p;
  module.configure(n, d, dv, w, back, forward, +causal, +exact, +sharedQk, scale);
  module.configureDropout(
    Math.min(Math.ceil(p.dropout * 2 ** 32), 2 ** 32 - 1),
    1 / (1 - p.dropout),
    p.seed,
  );
  module.configureRotary(+p.rotary, +p.rotary); // present; where, is told with the pointers
}

/** out and logSumExp of all heads; `rows` is B of the mask. */
export function forwardHeads(
  module: Exports,
  p: Facts,
  rows: number,
  at: Pointers,
  scratch: number,
): void {
  module.configureRotary(at.queryAngles, at.keyAngles);
  for (let head = 0; head < p.b; head++) {
    const {q, k, v, mask, bias, out, logSumExp} = ofHead(p, rows, at, head);
    module.attend(q, k, v, mask, bias, head, out, logSumExp, scratch);
  }
}

/** The gradients of all heads. */
export function backwardHeads(
  module: Exports,
  p: Facts,
  rows: number,
  at: GradPointers,
  scratch: number,
): void {
  module.configureRotary(at.queryAngles, at.keyAngles);
  const table = p.w * p.context * 4;
  module.clear(at.dk, p.b * p.n * p.d * 4);
  module.clear(at.dv, p.b * p.n * p.dv * 4);
  if (at.dbias) module.clear(at.dbias, p.heads * table);
  for (let head = 0; head < p.b; head++) {
    const {q, k, v, mask, bias, out, logSumExp} = ofHead(p, rows, at, head);
    const keys = head * p.n * p.d * 4;
    const values = head * p.n * p.dv * 4;
    const dbias = at.dbias && at.dbias + (head % p.heads) * table;
    const gradients = [at.dout + values, at.dq + keys, at.dk + keys, at.dv + values, dbias];
    module.attendBackward(q, k, v, mask, bias, head, out, logSumExp, ...gradients, scratch);
  }
}

function ofHead(p: Facts, rows: number, at: Pointers, head: number) {
  const keys = head * p.n * p.d * 4;
  const values = head * p.n * p.dv * 4;
  return {
    q: at.q + keys,
    k: at.k + keys,
    v: at.v + values,
    mask: at.mask && at.mask + Math.floor((head * rows) / p.b) * p.n,
    bias: at.bias && at.bias + (head % p.heads) * p.w * p.context * 4,
    out: at.out + values,
    logSumExp: at.logSumExp + head * p.n * 4,
  };
}
