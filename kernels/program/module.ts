/**
 * The WebAssembly module: which build of it runs, what it exports, and how it is told a call.
 * TF.js's flag LOCAL_ATTENTION_WASM_BUILD names a build; 'relaxed' is faster than 'simd', and its
 * last bits may differ from machine to machine.
 */
import * as tf from '@tensorflow/tfjs';

import {fail, refuse} from '../../src/check/errors';
import {FREQUENT, FUSED, IMPORTS, MUL_ADD, PROGRAM, SHARED_IMPORTS} from './module.generated';
import {Tile, chosenTile} from './tile';

/** What assembly/index.ts exports. */
export interface Exports {
  /** The call that the other functions are about, by the address of its struct. */
  begin(call: number): void;
  clearGradients(): void;
  /** Of a phase: its items, the scratch memory of one of them in bytes, and the computation of one. */
  items(phase: Phase): number;
  scratchBytes(phase: Phase): number;
  compute(phase: Phase, item: number, scratch: number): void;

  /** One new token of each sequence, by the structs of a call and of a ring. */
  decode(call: number, ring: number, scratch: number): void;
  decodeScratch(seen: number, headDim: number): number;

  /** Small products of a token at a time; rows by the address of a table of them. */
  combine: TokenRows;
  dots: TokenRows;

  /** What other kernels are made of; tensors by their addresses, those of results after those of inputs. */
  adam(m: number, v: number, w: number, g: number, count: number, ...rates: number[]): void;
  copyRows(
    from: number,
    fromApart: number,
    rows: number,
    bytes: number,
    to: number,
    toApart: number,
  ): void;
  gelu(x: number, count: number, to: number, scratch: number): void;
  geluGradient(x: number, dy: number, count: number, to: number, scratch: number): void;
  layerNorm(
    x: number,
    gamma: number,
    beta: number,
    rows: number,
    size: number,
    epsilon: number,
    to: number,
  ): void;
  layerNormGradient(
    x: number,
    gamma: number,
    dy: number,
    rows: number,
    size: number,
    epsilon: number,
    dx: number,
    dGamma: number,
    dBeta: number,
    scratch: number,
  ): void;
  map(f: number, x: number, count: number, to: number): void;
  minimum(a: number, stepA: number, b: number, stepB: number, count: number, to: number): void;
  sums(x: number, outer: number, count: number, inner: number, to: number): void;
  transpose(x: number, batch: number, rows: number, columns: number, to: number): void;
  normalize(
    x: number,
    mean: number,
    variance: number,
    scale: number,
    offset: number,
    epsilon: number,
    count: number,
    to: number,
  ): void;
}

type TokenRows = (
  given: number,
  table: number,
  count: number,
  tokens: number,
  rows: number,
  bytes: number,
  to: number,
) => void;

/**
 * What must end before more is begun: the forward pass, the halves of the backward pass, and of a
 * product of matrices packing and the product.
 */
export type Phase = 0 | 1 | 2 | 3 | 4;
export const FORWARD: readonly Phase[] = [0];
export const BACKWARD: readonly Phase[] = [1, 2];
export const PRODUCT: readonly Phase[] = [3, 4];

type Build = 'relaxed' | 'simd';
/** A build, or what it is for memory that threads share. */
type Variant = Build | `${Build}Shared`;
type Compiled = {module: WebAssembly.Module} | {reason: string};

const FLAG = 'LOCAL_ATTENTION_WASM_BUILD';
tf.env().registerFlag(FLAG, () => 'auto');

/** What an instance is made of, besides its memory: here, or in a thread. */
export interface Program {
  module: WebAssembly.Module;
  /** Whether 16 columns of a product are computed at once, 1 or 0. */
  wide: number;
}

const compiled = new Map<Variant, Compiled>();
const instances = new WeakMap<WebAssembly.Memory, Map<WebAssembly.Module, Exports[]>>();

function compile(name: Variant): Compiled {
  if (!compiled.has(name)) compiled.set(name, tryToCompile(bytesOf(name)));
  return compiled.get(name)!;
}

function tryToCompile(bytes: Uint8Array<ArrayBuffer>): Compiled {
  const runs = typeof WebAssembly !== 'undefined' && WebAssembly.validate(bytes);
  if (!runs) return {reason: 'this engine has no SIMD in WebAssembly'};
  try {
    return {module: new WebAssembly.Module(bytes)};
  } catch (error) {
    // what validates does compile, unless a Content-Security-Policy is against it
    return {reason: `WebAssembly may not be compiled here (${error})`};
  }
}

function runs(build: Build): boolean {
  return 'module' in compile(build);
}

/** The build that the flag asks for; with 'auto', the fastest one that runs, or the last. */
function chosenBuild(): Build {
  const wanted = tf.env().getString(FLAG);
  if (wanted === 'auto') return runs('relaxed') ? 'relaxed' : 'simd';
  if (wanted !== 'relaxed' && wanted !== 'simd') {
    return fail('localAttention', `${FLAG} must be 'auto', 'relaxed' or 'simd'`, wanted);
  }
  if (runs(wanted)) return wanted;
  return refuse('localAttention', `${FLAG} is '${wanted}', which this engine does not run`);
}

/** Why the module cannot run here at all, or null. A wrong flag is an error, and thrown. */
export function unsupportedEngine(): string | null {
  const build = compile(chosenBuild());
  return 'reason' in build ? build.reason : null;
}

/** Why no thread can share the work of this engine's module, or null. */
export function unsupportedThreads(): string | null {
  const missing = unsupportedEngine();
  if (missing) return missing;
  const build = compile(`${chosenBuild()}Shared`);
  return 'module' in build ? null : 'this engine has no threads in WebAssembly';
}

/** Whether threads share a memory; asked by name, as each realm has its own class. */
export function isShared(memory: WebAssembly.Memory): boolean {
  return (memory.buffer as ArrayBufferLike)[Symbol.toStringTag] === 'SharedArrayBuffer';
}

/** The program for memories that threads share, or for others. */
export function programFor(shared: boolean, tile: Tile = chosenTile() ?? 'narrow'): Program {
  const build = chosenBuild();
  const {module} = compile(shared ? `${build}Shared` : build) as {module: WebAssembly.Module};
  return {module, wide: +(tile === 'wide')};
}

/** The program in a memory, one instance for each build and tile. */
export function instantiate(memory: WebAssembly.Memory, tile?: Tile): Exports {
  const {module, wide} = programFor(isShared(memory), tile);
  const builds = instances.get(memory) ?? new Map<WebAssembly.Module, Exports[]>();
  instances.set(memory, builds);
  const tiles = builds.get(module) ?? [];
  builds.set(module, tiles);
  tiles[wide] ??= new WebAssembly.Instance(module, {env: {memory, wide}})
    .exports as unknown as Exports;
  return tiles[wide];
}

/** There is one build: relaxed SIMD has one instruction where it has two, a product and a sum. */
export function bytesOf(name: Variant): Uint8Array<ArrayBuffer> {
  const text = name.endsWith('Shared') ? PROGRAM.replace(IMPORTS, SHARED_IMPORTS) : PROGRAM;
  const hex = text.replace(
    /~(..)|./g,
    (one, rare?: string) => `${rare ?? FREQUENT[one.charCodeAt(0) - 35]} `,
  );
  const fuse = (bytes: string) => bytes.replace(MUL_ADD, FUSED);
  const bytes = name.startsWith('simd') ? hex : fuse(fuse(hex));
  return Uint8Array.from({length: bytes.length / 3}, (_, at) =>
    parseInt(bytes.slice(3 * at, 3 * at + 2), 16),
  );
}
