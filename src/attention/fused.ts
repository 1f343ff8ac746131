/**
 * Fused kernels: the contract between an operation and the backends that compute it.
 *
 * A fused kernel computes a whole call without ever holding its scores: `LocalAttention` gives the
 * output and two numbers for each row, `LocalAttentionGrad` all gradients from them. A backend may
 * bring the first alone; gradients are then the composite's.
 */
import * as tf from '@tensorflow/tfjs';

import {XposPhases, phaseTable} from '../rotary/phases';
import {LARGEST_XPOS_POWER} from '../rotary/xpos';
import type {Problem} from './problem';

export const FORWARD = 'LocalAttention';
export const BACKWARD = 'LocalAttentionGrad';
/** One new token against the keys that are kept; its inputs are told in decode_fused.ts. */
export const DECODE = 'LocalAttentionDecode';

/** One kernel of a backend. */
export interface FusedKernel {
  /** Why it does not compute `p`, or null. */
  unsupported(p: Problem): string | null;
  run: tf.KernelFunc;
}

export interface FusedBackend {
  readonly backendName: string;
  /** {@link FusedInputs} -> [out [..., n, dv], softmaxStats [batch, heads, n, 2]] */
  readonly forward: FusedKernel;
  /** {@link FusedGradInputs} -> [dq, dk, dv], and the bias's gradient where there is a bias */
  readonly backward?: FusedKernel;
  /** `DecodeInputs` -> out [B, h, 1, dv] */
  readonly decode?: FusedKernel;
  /** Queries that the kernels compute together, and that count their angles from one origin. */
  queriesTogether(p: Problem): number;
}

/**
 * The tensors of a kernel, of any leading axes, since only sizes count: q, k [..., n, d];
 * v [..., n, dv]; where there is one, a bool mask [B, n] and a bias [h, w, C]. Queries are scaled and
 * rotated by the kernel.
 */
export interface FusedInputs {
  q: tf.TensorInfo;
  k: tf.TensorInfo;
  v: tf.TensorInfo;
  mask?: tf.TensorInfo;
  bias?: tf.TensorInfo;
}

/**
 * What went in, what came out, and the upstream gradient. softmaxStats holds for each row its
 * largest score and Σ exp(score − largest), apart: their logsumexp would lose the sum where the
 * largest is large, and weights made again from it would not sum to one.
 */
export interface FusedGradInputs extends FusedInputs {
  out: tf.TensorInfo;
  softmaxStats: tf.TensorInfo;
  dout: tf.TensorInfo;
}

/** What a kernel is told besides tensors. */
export interface KernelAttrs {
  problem: Problem;
  /** Of the inputs of the forward kernel, in their order. */
  names: (keyof FusedInputs)[];
  /**
   * Angles of queries and keys, float32 [rows][d], or null without rotary: in a row cosines, then
   * sines, xpos scales included. Query i takes row i − origin of its table where key j takes row
   * j − origin of its own; there are {@link angleRows} of them. The same arrays come again for the
   * same angles, so that a backend can keep its own copies by them.
   */
  queryAngles: Float32Array | null;
  keyAngles: Float32Array | null;
}

const backends = new Map<string, FusedBackend>();

/** Registers the kernels of a backend. */
export function registerFused(backend: FusedBackend): void {
  const {backendName, forward, backward, decode} = backend;
  backends.set(backendName, backend);
  // an ESM and a CommonJS copy of this package, or one of before, may share one TF.js
  if (decode && !tf.getKernel(DECODE, backendName)) {
    tf.registerKernel({kernelName: DECODE, backendName, kernelFunc: decode.run});
  }
  if (tf.getKernel(FORWARD, backendName)) return;
  tf.registerKernel({kernelName: FORWARD, backendName, kernelFunc: forward.run});
  if (!backward) return;
  tf.registerKernel({kernelName: BACKWARD, backendName, kernelFunc: backward.run});
}

/** Why the current backend runs no fused kernel for `p`, or null if it does. */
export function whyNotFused(p: Problem): string | null {
  const name = tf.getBackend();
  const backend = backends.get(name);
  if (!backend) return `no fused kernel is written for '${name}'`;
  const reason = whyNotXpos(p, backend) ?? backend.forward.unsupported(p);
  return reason ? `no fused kernel on '${name}': ${reason}` : null;
}

/** Whether the current backend decodes one token of `p` by a kernel. */
export function hasFusedDecoding(p: Problem): boolean {
  return backends.get(tf.getBackend())?.decode?.unsupported(p) === null;
}

/** Whether the current backend computes the gradient of `p` by a kernel too. */
export function hasFusedGradient(p: Problem): boolean {
  const backend = backends.get(tf.getBackend());
  if (!backend?.backward || whyNotXpos(p, backend)) return false;
  return backend.backward.unsupported(p) === null;
}

/** The inputs of a kernel by their names. */
export function byName(
  inputs: tf.NamedTensorInfoMap,
  attrs: tf.NamedAttrMap | undefined,
): FusedInputs {
  const {names} = attrs as unknown as KernelAttrs;
  return Object.fromEntries(names.map((name, i) => [name, inputs[i]])) as unknown as FusedInputs;
}

/** The tables of angles for `p` on the current backend. */
export function anglesOf(p: Problem): Pick<KernelAttrs, 'queryAngles' | 'keyAngles'> {
  if (!p.rotary) return {queryAngles: null, keyAngles: null};
  const backend = backends.get(tf.getBackend())!;
  const ahead = p.lookForward * p.windowSize; // queries stand where the last window of the context is
  const table = (first: number, sign: 1 | -1) => {
    const centre = xposCentre(p, backend);
    const xpos: XposPhases | null = p.xposBase === null ? null : {base: p.xposBase, centre, sign};
    return phaseTable(first, angleRows(p, backend), p.headDim, xpos);
  };
  const queryAngles = table(ahead, 1);
  const same = ahead === 0 && p.xposBase === null;
  return {queryAngles, keyAngles: same ? queryAngles : table(0, -1)};
}

/** Rows of the tables of angles: those of the keys that queries computed together see, or all. */
function angleRows(p: Problem, backend: FusedBackend): number {
  return Math.min(p.length, phases(p, backend));
}

function phases(p: Problem, backend: FusedBackend): number {
  return p.context - p.windowSize + backend.queriesTogether(p);
}

/** The phase whose xpos scale is 1: the middle of all, whatever n, so that padding changes no bit. */
function xposCentre(p: Problem, backend: FusedBackend): number {
  return (phases(p, backend) + p.lookForward * p.windowSize) / 2;
}

/** Why the scales of xpos, which grow with the number of phases, are beyond float32, or null. */
function whyNotXpos(p: Problem, backend: FusedBackend): string | null {
  if (p.xposBase === null) return null;
  const least = xposCentre(p, backend) / LARGEST_XPOS_POWER;
  return p.xposBase < least ? `xposScaleBase ${p.xposBase} is less than ${least}` : null;
}
