/**
 * Fused kernels: how they are called, by what names they are registered, and who refuses what.
 *
 * A fused kernel computes a whole call without ever holding its scores: `LocalAttention` gives the
 * output and the logsumexp of each row, `LocalAttentionGrad` all gradients from them.
 */
import * as tf from '@tensorflow/tfjs';

import {refuse} from '../check/errors';
import {XposPhases, phaseTable} from '../rotary/phases';
import {LARGEST_XPOS_POWER} from '../rotary/xpos_reach';
import {Problem} from './problem';

const FORWARD = 'LocalAttention';
const BACKWARD = 'LocalAttentionGrad';

/**
 * What a kernel is told besides tensors: the flat facts of the {@link Problem}, where `n` counts
 * the tokens without padding; queries are scaled and rotated by the kernel.
 */
export type Facts = Omit<Problem, 'leading' | 'mask' | 'bias' | 'windows' | 'padded'>;

/**
 * The tensors of a kernel: q, k [b, n, d]; v [b, n, dv]; where there is one, bool mask [B, n] and
 * bias [h, w, C]; with rotary, the angles of queries and keys [slots, d], cosines in the first
 * half of a row and sines in the second, xpos scales included. Query i takes row i − origin of its
 * table where key j takes row j − origin of its own, for an origin of the kernel's choice; tables
 * have {@link anglesLength} rows.
 */
export interface FusedInputs {
  q: tf.TensorInfo;
  k: tf.TensorInfo;
  v: tf.TensorInfo;
  mask?: tf.TensorInfo;
  bias?: tf.TensorInfo;
  queryAngles?: tf.TensorInfo;
  keyAngles?: tf.TensorInfo;
}

/** Inputs of the backward kernel: what went in, what came out, and the upstream gradient. */
export interface FusedGradInputs extends FusedInputs {
  out: tf.TensorInfo;
  logSumExp: tf.TensorInfo;
  dout: tf.TensorInfo;
}

/** One machine: a backend, what it refuses, and its two kernels. */
export interface Machine {
  backendName: string;
  /** Why this machine does not compute `p`, or null. */
  refuses(p: Facts): string | null;
  /** -> [out [b, n, dv], logSumExp [b, n]] */
  forward: tf.KernelFunc;
  /** -> [dq, dk, dv], and the bias's gradient where there is a bias */
  backward: tf.KernelFunc;
}

const machines = new Map<string, Machine>();

/** Registers the kernels of a machine, once. */
export function register(machine: Machine): void {
  const {backendName, forward, backward} = machine;
  machines.set(backendName, machine);
  // an ESM and a CommonJS copy of this package may share one TF.js
  if (tf.getKernel(FORWARD, backendName)) return;
  tf.registerKernel({kernelName: FORWARD, backendName, kernelFunc: forward});
  tf.registerKernel({kernelName: BACKWARD, backendName, kernelFunc: backward});
}

/** Why the current backend runs no fused kernel for `p`, or null if it does. */
export function refusal(p: Problem): string | null {
  const backend = tf.getBackend();
  const machine = machines.get(backend);
  if (!machine) return `no fused kernel is written for '${backend}'`;
  const reason = refusesXpos(p) ?? machine.refuses(p);
  return reason ? `no fused kernel on '${backend}': ${reason}` : null;
}

/** Rows of the tables of angles: a context and as many queries as are computed together, or all. */
function anglesLength(p: Facts): number {
  return Math.min(p.n, phases(p));
}

function phases(p: Facts): number {
  return p.context + p.w + 64;
}

/** The phase whose xpos scale is 1: the middle of all, whatever n, so that padding changes no bit. */
function xposCentre(p: Facts): number {
  return (phases(p) + p.forward * p.w) / 2;
}

/** Why the scales of xpos, which grow with the number of phases, are beyond float32, or null. */
function refusesXpos(p: Facts): string | null {
  if (p.xposBase === null) return null;
  const least = xposCentre(p) / LARGEST_XPOS_POWER;
  return p.xposBase < least ? `xposScaleBase ${p.xposBase} is less than ${least}` : null;
}

/** The operation by its fused kernel: [b, n, dv]. */
export function fused(q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D, p: Problem): tf.Tensor3D {
  const {leading, mask, bias, windows, padded, ...facts} = p;
  const given = Object.entries({q, k, v, bias, mask, ...anglesOf(p)});
  const present = given.filter(([, tensor]) => tensor !== null);
  const names = present.map(([name]) => name);
  // a list, because the engine saves all inputs of a list, and knows no optional ones by name
  const tensors = present.map(([, tensor]) => tensor) as unknown as tf.NamedTensorMap;
  const attrs = {...facts, names} as unknown as tf.NamedAttrMap;
  const [out] = tf.engine().runKernel(FORWARD, tensors, attrs) as tf.Tensor[];
  return out as tf.Tensor3D;
}

tf.registerGradient({
  kernelName: FORWARD,
  saveAllInputs: true,
  outputsToSave: [true, true],
  gradFunc(dy, saved, attrs) {
    const names = attrs.names as string[];
    const named = Object.fromEntries(
      [...names, 'out', 'logSumExp'].map((name, i) => [name, saved[i]]),
    );
    const inputs = {...named, dout: (dy as tf.Tensor[])[0]};
    const gradients = tf.engine().runKernel(BACKWARD, inputs, attrs) as tf.Tensor[];
    const byName = names.map((name, i) => [i, DIFFERENTIABLE.indexOf(name)]);
    // a mask may come from what is differentiated, but has no slope
    const gradientOf = (i: number, at: number) =>
      at < 0 ? tf.zeros(saved[i].shape) : gradients[at];
    return Object.fromEntries(byName.map(([i, at]) => [i, () => gradientOf(i, at)]));
  },
});

tf.registerGradient({
  kernelName: BACKWARD,
  gradFunc() {
    return refuse(
      'localAttention',
      "the fused kernels have no second derivative; use implementation: 'composite' for it",
    );
  },
});

/** The inputs that have gradients, in the order in which the backward kernel returns them. */
const DIFFERENTIABLE = ['q', 'k', 'v', 'bias'];

/** The inputs of a kernel by their names. */
export function byName(
  inputs: tf.NamedTensorInfoMap,
  attrs: tf.NamedAttrMap | undefined,
): FusedInputs {
  const names = (attrs as unknown as {names: string[]}).names;
  return Object.fromEntries(names.map((name, i) => [name, inputs[i]])) as unknown as FusedInputs;
}

function anglesOf(p: Problem): {queryAngles: tf.Tensor | null; keyAngles: tf.Tensor | null} {
  if (!p.rotary) return {queryAngles: null, keyAngles: null};
  const length = anglesLength(p);
  const ahead = p.forward * p.w; // queries stand where the last window of the context is
  const table = (first: number, sign: 1 | -1) => {
    const centre = xposCentre(p);
    const xpos: XposPhases | null = p.xposBase === null ? null : {base: p.xposBase, centre, sign};
    return tf.tensor2d(phaseTable(first, length, p.d, xpos).slice(), [length, p.d]);
  };
  const queryAngles = table(ahead, 1);
  const same = ahead === 0 && p.xposBase === null;
  return {queryAngles, keyAngles: same ? queryAngles : table(0, -1)};
}
