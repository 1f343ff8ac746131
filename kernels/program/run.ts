/** One call of a kernel: find the tensors, make room for the results, compute them. */
import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';

import {KernelAttrs, FusedGradInputs, FusedInputs, byName} from '../../src/attention/fused';
import type {Problem} from '../../src/attention/problem';
import {Pointers, unsupportedSize, writeCall} from './call';
import {settleTile} from './measure';
import {BACKWARD, Exports, FORWARD, Phase, instantiate, isShared} from './module';
import {computeParallel} from './threads/parallel';
import {threads} from './threads/workers';

/**
 * The least work that threads share, in multiply-adds of scores and values: about 3 ms forward on one
 * thread. There two threads are 1.3 to 1.6 times as fast, copies included; at half of it, some calls
 * lose what it takes to wake a thread and to copy tensors to where both can read them.
 */
const LEAST_WORK = 2 ** 26;

/**
 * How a call ended. Where it was abandoned, threads may go on writing to all that was its own, so
 * none of that is given back.
 */
export type End = 'computed' | 'failed' | 'abandoned';

/** The memory of one call. */
export interface Place {
  memory: WebAssembly.Memory;
  /** Where a table of angles is; asked for before anything else. */
  angles(table: Float32Array): number;
  /** Where the values of a tensor are. */
  address(tensor: TensorInfo): number;
  /** Room for a float32 result. */
  output(shape: number[]): number;
  /** Room that nobody else uses until the end of the call. */
  scratch(bytes: number): number;
  /** Makes a tensor of the caller's own hold what the call has written at so many bytes from its beginning. */
  revise(tensor: TensorInfo, at: number, offset: number, bytes: number): void;
  /** The results, in the order in which room was made for them. */
  results(): TensorInfo[];
  /** Gives back what is not a result, and the results too if the call failed. */
  leave(end: End): void;
}

/** Makes a place for a call on a backend, in memory that threads share if that can be had. */
export type Enter = (backend: unknown, shared: boolean) => Place;

/** A kernel function over the places that `enter` makes of a backend. */
export function forwardKernel(enter: Enter): KernelFunc {
  return ({inputs, attrs, backend}) => {
    const told = attrs as unknown as KernelAttrs;
    const {problem} = told;
    const given = byName(inputs, attrs);
    const prepare = (place: Place) => {
      const at = pointersOf(place, given, told);
      at.out = place.output(given.v.shape);
      at.softmaxStats = place.output([problem.batch, problem.heads, problem.length, 2]);
      return at;
    };
    return attend(problem, FORWARD, (shared) => enter(backend, shared), prepare);
  };
}

export function backwardKernel(enter: Enter): KernelFunc {
  return ({inputs, attrs, backend}) => {
    const told = attrs as unknown as KernelAttrs;
    const given = inputs as unknown as FusedGradInputs;
    const prepare = (place: Place) => {
      const at = pointersOf(place, given, told);
      at.out = place.address(given.out);
      at.softmaxStats = place.address(given.softmaxStats);
      at.dout = place.address(given.dout);
      at.dq = place.output(given.q.shape);
      at.dk = place.output(given.k.shape);
      at.dv = place.output(given.v.shape);
      if (given.bias) at.dbias = place.output(given.bias.shape);
      return at;
    };
    return attend(told.problem, BACKWARD, (shared) => enter(backend, shared), prepare);
  };
}

function attend(
  p: Problem,
  phases: readonly Phase[],
  enter: (shared: boolean) => Place,
  prepare: (place: Place) => Pointers,
): TensorInfo[] {
  const work = p.batch * p.heads * p.length * p.context * (p.headDim + p.valueDim);
  const isShareable = work >= LEAST_WORK && unsupportedSize(p, threads()) === null;
  return compute(phases, isShareable, enter, (place) => writeCall(p, prepare(place), place));
}

/**
 * The results of a call: of all threads where it is shareable, of this one alone where that fails.
 * The first of them finds the faster tile.
 *
 * @param tell writes the struct of the call, and answers where
 */
export function compute(
  phases: readonly Phase[],
  isShareable: boolean,
  enter: (shared: boolean) => Place,
  tell: (place: Place) => number,
): TensorInfo[] {
  if (isShareable) settleTile();
  const many = isShareable && threads() > 1 ? computeIn(enter(true), phases, tell) : null;
  return many ?? computeIn(enter(false), phases, tell, false)!;
}

/** The results, or null where threads failed. */
function computeIn(
  place: Place,
  phases: readonly Phase[],
  tell: (place: Place) => number,
  parallel = isShared(place.memory),
): TensorInfo[] | null {
  let end: End = 'failed';
  try {
    const call = tell(place);
    const {memory} = place;
    const module = instantiate(memory);
    module.begin(call);
    const bytes = Math.ceil(module.scratchBytes(phases[0]) / 64) * 64;
    const scratch = place.scratch(parallel ? threads() * bytes : bytes);
    if (phases === BACKWARD) module.clearGradients();
    if (parallel) {
      end = 'abandoned';
      if (!computeParallel({memory, call, phases, scratch, bytes})) return null;
      end = 'failed';
    } else {
      computeAlone(module, phases, scratch);
    }
    const results = place.results();
    end = 'computed';
    return results;
  } finally {
    place.leave(end);
  }
}

function computeAlone(module: Exports, phases: readonly Phase[], scratch: number): void {
  for (const phase of phases) {
    const items = module.items(phase);
    for (let item = 0; item < items; item++) module.compute(phase, item, scratch);
  }
}

function pointersOf(
  place: Place,
  {q, k, v, mask, bias}: FusedInputs,
  {queryAngles, keyAngles}: KernelAttrs,
): Pointers {
  const at: Pointers = {};
  if (queryAngles) at.queryAngles = place.angles(queryAngles);
  if (keyAngles)
    at.keyAngles = keyAngles === queryAngles ? at.queryAngles : place.angles(keyAngles);
  at.q = place.address(q);
  at.k = place.address(k);
  at.v = place.address(v);
  if (mask) at.mask = place.address(mask);
  if (bias) at.bias = place.address(bias);
  return at;
}
