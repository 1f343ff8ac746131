/**
 * `registerFasterKernels`: puts our kernels and gradients in the place of those of TF.js that make
 * models slow around their attention.
 */
import * as tf from '@tensorflow/tfjs';

import {OURS} from '../../src/nn/own_kernel';
import {ADAM} from './adam';
import {ARITHMETIC} from './arithmetic';
import {BATCH_NORM} from './batch_norm';
import {BATCH_NORM_GRADIENT} from './batch_norm_gradient';
import {CONCAT} from './concat';
import {GATHER} from './gather';
import {GELU_ACTIVATION} from './gelu';
import {CAST, IDENTITY} from './identity';
import {LAYER_NORMALIZATION} from './layer_norm';
import {MAPS} from './map';
import {MAT_MUL} from './mat_mul';
import {MINIMUM} from './minimum';
import type {GradientReplacement, MethodReplacement, Replacement} from './replacement';
import {SLICE, SPLIT} from './slice';
import {SUM} from './sum';
import {MEAN_GRADIENT, SUM_GRADIENT} from './sum_gradient';
import {TILE} from './tile';
import {TILE_GRADIENT} from './tile_gradient';
import {TRANSPOSE} from './transpose';
import {SEGMENT_SUM} from './unsorted_segment_sum';

/** What was replaced: a kernel of one backend, or a gradient, which all backends share. */
export type Replaced = ReplacedKernel | ReplacedGradient;

/** A kernel that was replaced. */
export interface ReplacedKernel {
  /** Its name in TF.js. */
  kernel: string;
  /** Whose it is. */
  backend: string;
  /** What makes that of TF.js slow. */
  reason: string;
}

/** A gradient that was replaced. */
export interface ReplacedGradient {
  /** The name of its kernel in TF.js. */
  gradient: string;
  /** All backends share it. */
  backend: 'all';
  /** What makes that of TF.js slow. */
  reason: string;
}

const KERNELS: readonly Replacement[] = [
  BATCH_NORM,
  CAST,
  CONCAT,
  GATHER,
  IDENTITY,
  MINIMUM,
  SEGMENT_SUM,
  ...SLICE,
  ...SPLIT,
  ...SUM,
  ...TILE,
  ...TRANSPOSE,
  ...ARITHMETIC,
  ...MAPS,
  ...MAT_MUL,
];
const GRADIENTS: readonly GradientReplacement[] = [
  BATCH_NORM_GRADIENT,
  MEAN_GRADIENT,
  SUM_GRADIENT,
  TILE_GRADIENT,
];
const METHODS = [ADAM, GELU_ACTIVATION, LAYER_NORMALIZATION] as MethodReplacement<never>[];

const BACKENDS = ['cpu', 'wasm', 'tensorflow', 'webgl', 'webgpu'];

/** A kernel that computes nothing: TF.js tells it that its backend has started. */
const STARTED = 'LocalAttentionFasterKernels';

/** A kernel or a gradient as TF.js keeps it. */
interface Slot<Config extends object> {
  now(): Config | undefined;
  textOf(config: Config): string;
  put(config: Config): void;
  make(theirs: Config): Config;
}

/**
 * The text of the function that was in each slot when we first looked: TF.js's own. Its text, since
 * a second copy of TF.js, such as one that tfjs-node brings, registers its own functions anew.
 */
const own = new Map<string, string>();

/** Whether ours is in the slot, now if not before; what somebody else has put there stays. */
function isReplaced<Config extends object>(name: string, slot: Slot<Config>): boolean {
  const now = slot.now();
  if (!now) return false; // its backend is not there yet
  if (OURS in now) return true;
  const text = slot.textOf(now);
  if (!own.has(name)) own.set(name, text);
  if (own.get(name) !== text) return false;
  slot.put({...slot.make(now), [OURS]: true});
  return true;
}

function kernelSlot({kernel, backend, make}: Replacement): Slot<tf.KernelConfig> {
  return {
    now: () => tf.getKernel(kernel, backend),
    textOf: ({kernelFunc}) => String(kernelFunc),
    put(config) {
      tf.unregisterKernel(kernel, backend); // TF.js warns of what is registered twice
      tf.registerKernel(config);
    },
    make: (theirs) => ({...theirs, kernelFunc: make(theirs.kernelFunc)}),
  };
}

function gradientSlot({gradient, make}: GradientReplacement): Slot<tf.GradConfig> {
  return {
    now: () => tf.getGradient(gradient),
    textOf: ({gradFunc}) => String(gradFunc),
    put: (config) => tf.registerGradient(config),
    make,
  };
}

function methodSlot<Method extends object>(one: MethodReplacement<Method>): Slot<{method: Method}> {
  const {owner, method, make} = one;
  return {
    now: () => ({method: owner[method], ...(OURS in owner[method] && {[OURS]: true})}),
    textOf: (config) => String(config.method),
    put: (config) => void (owner[method] = Object.assign(config.method, {[OURS]: true})),
    make: (theirs) => ({method: make(theirs.method)}),
  };
}

/** What a backend's package brings when it is imported later is looked at when the backend starts. */
function replaceWhenStarted(backendName: string): void {
  if (tf.getKernel(STARTED, backendName)) return;
  const setupFunc = () => void registerFasterKernels();
  tf.registerKernel({kernelName: STARTED, backendName, kernelFunc: () => [], setupFunc});
}

/**
 * Replaces kernels and gradients of TF.js by faster ones with the same results up to rounding, in
 * the whole program: all models gain, with local attention or without. What somebody else has
 * registered in their place stays, and what ours cannot serve (a dtype, a size) is handed on to
 * TF.js's. May be called before a backend is ready, and again.
 *
 * @returns what is replaced by now, and why; of a backend that comes later, a later call tells.
 */
export function registerFasterKernels(): Replaced[] {
  BACKENDS.forEach(replaceWhenStarted);
  const gradients = GRADIENTS.filter((one) => isReplaced(one.gradient, gradientSlot(one)));
  const kernels = KERNELS.filter((one) => isReplaced(nameOf(one), kernelSlot(one)));
  const methods = METHODS.filter((one) => isReplaced(one.name, methodSlot(one)));
  return [
    ...gradients.map(({gradient, reason}) => ({gradient, backend: 'all' as const, reason})),
    ...kernels.map(({kernel, backend, reason}) => ({kernel, backend, reason})),
    ...methods.flatMap(({name: kernel, backends, reason}) =>
      backends.filter(isThere).map((backend) => ({kernel, backend, reason})),
    ),
  ];
}

/** Whether the package of a backend has been imported. */
function isThere(backend: string): boolean {
  return tf.findBackendFactory(backend) !== null;
}

function nameOf({backend, kernel}: Replacement): string {
  return `${backend} ${kernel}`;
}

// now is when nobody else has been here yet
for (const one of KERNELS) remember(nameOf(one), kernelSlot(one));
for (const one of GRADIENTS) remember(one.gradient, gradientSlot(one));
for (const one of METHODS) remember(one.name, methodSlot(one));

function remember<Config extends object>(name: string, slot: Slot<Config>): void {
  const now = slot.now();
  if (now && !(OURS in now)) own.set(name, slot.textOf(now));
}
