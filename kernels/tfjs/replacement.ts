/** What stands in the place of a kernel or a gradient of TF.js, and why. */
import type {GradConfig, KernelFunc} from '@tensorflow/tfjs';

export interface Replacement {
  kernel: string;
  backend: string;
  reason: string;
  /** The kernel, which hands to `theirs` what it cannot serve. */
  make(theirs: KernelFunc): KernelFunc;
}

/** The same of a gradient, which is of ops and so of every backend. */
export interface GradientReplacement {
  gradient: string;
  reason: string;
  make(theirs: GradConfig): GradConfig;
}

/** The same of a method that composes kernels, on the backends that have one kernel for it. */
export interface MethodReplacement<Method> {
  owner: Record<string, Method>;
  method: string;
  /** What the caller is told. */
  name: string;
  backends: readonly string[];
  reason: string;
  make(theirs: Method): Method;
}
