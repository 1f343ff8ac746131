import * as tf from '@tensorflow/tfjs';

import {keepsFloat16} from '../attention/float16';
import {fail, refuse} from '../check/errors';
import {deviceOf} from './device';
import {GoldenCase, RESULTS, errorOf} from './golden';
import {GOLDEN} from './golden.generated';
import {Generator, inputsOf} from './inputs';
import {Ran, resultsOf} from './run';
import {FLOAT16, FLOAT32, gradientTolerance, outputTolerance} from './tolerance';

/** A result that is not the original's, or a case that gave none. */
export interface VerifyFailure {
  /** The name of the case, and the result: `blocks, padded, masked: dk`. Without one if it threw. */
  case: string;
  /**
   * Largest |result − original| over largest |original|; or in words, what was thrown, or how many
   * numbers are NaN or infinite.
   */
  error: number | string;
  /** The largest error of a right result, by the precision of the backend and the sizes of the case. */
  tolerance: number;
}

/** What {@link verify} found. */
export interface Verification {
  /** The current backend of TF.js. */
  backend: string;
  /** What it runs on, in the words of its driver. */
  device: string;
  /** Who computed: the kernels of this package, ordinary tf ops, or each of them some of the cases. */
  implementation: 'fused' | 'composite' | 'both';
  /** How many cases there are. */
  cases: number;
  /** How many of them had no failure. */
  passed: number;
  /** The largest error of all results; Infinity if there is one in words. */
  maxError: number;
  /** What is wrong; empty if nothing is. */
  failures: VerifyFailure[];
  /** What it took. */
  seconds: number;
}

/**
 * Computes a few cases on the current backend, forward and backward, and compares them with what the
 * PyTorch original answers in float64: whether attention is right on this device, with this driver.
 * A case runs by the fused kernel where there is one that takes it. Takes some seconds the first
 * time on a GPU, which compiles; prints nothing and leaves nothing behind.
 *
 *     const {passed, cases, failures} = await verify();
 *     if (passed < cases) console.warn(failures);
 *
 * @throws RangeError if it is given anything, if the backend is changed while it runs, or where the
 *   context of webgl is lost; what TF.js throws where no backend starts. All as rejections: what a case throws is a failure of the case.
 */
export async function verify(...nothing: []): Promise<Verification> {
  const [given] = nothing as unknown[];
  if (given != null) {
    fail('verify', 'it takes no options (tf.setBackend chooses what it verifies)', given);
  }
  await tf.ready();
  const begin = tf.util.now();
  const backend = tf.getBackend();
  const device = await deviceOf();
  const epsilon = keepsFloat16() ? FLOAT16 : FLOAT32;
  const failures: VerifyFailure[] = [];
  const ran = new Set<Ran>();
  let passed = 0;
  let maxError = 0;
  for (const [seed, c] of GOLDEN.entries()) {
    if (tf.getBackend() !== backend) {
      refuse(
        'verify',
        `the backend was changed from '${backend}' while it ran; wait for its answer`,
      );
    }
    const outcomes = await outcomesOf(c, seed, epsilon, ran);
    const wrong = outcomes.filter(({error, tolerance}) => !(Number(error) <= tolerance));
    if (wrong.length === 0) passed++;
    failures.push(...wrong);
    for (const {error} of outcomes) {
      maxError = Math.max(maxError, typeof error === 'number' ? error : Infinity);
    }
  }
  return {
    backend,
    device,
    implementation: ran.size === 2 ? 'both' : ran.has('fused') ? 'fused' : 'composite',
    cases: GOLDEN.length,
    passed,
    maxError,
    failures,
    seconds: (tf.util.now() - begin) / 1000,
  };
}

/** Each result of a case with its error, be it a failure or not. */
async function outcomesOf(
  c: GoldenCase,
  seed: number,
  epsilon: number,
  ran: Set<Ran>,
): Promise<VerifyFailure[]> {
  const generator = new Generator(seed);
  const inputs = inputsOf(c, generator);
  const ofOutput = outputTolerance(c, inputs, epsilon);
  try {
    const {results, ...by} = await resultsOf(c, inputs);
    ran.add(by.ran);
    return c.results.map((want, at) => ({
      case: `${c.name}: ${RESULTS[at]}`,
      error: errorOf(results[at], want, generator),
      tolerance: at === 0 ? ofOutput : gradientTolerance(ofOutput),
    }));
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return [{case: c.name, error: words, tolerance: ofOutput}];
  }
}
