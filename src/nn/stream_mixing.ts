/**
 * The two halves of a hyper-connection, around its branch, with gradients in closed form: autodiff would
 * keep the streams many times over. r [S, D] are the streams of one token, and for its S + 2 columns
 * alpha_fn | beta_fn, G = √D · (gamma + 1) · fn, ρ_s = 1 / max(‖r_s‖, 1e-12):
 *
 *     z = ρ ∘ (r G),   alpha | beta = scale · tanh z + static
 *     width: m = alphaᵀ r, of which m_0 is the branch's input and m_1 … m_S are carried
 *     depth: r_s ← m_{s + 1} + beta_s · y
 *
 * and back, of the gradients dm = dm_0 | dCarried and dbeta:
 *
 *     dalpha = r dmᵀ,   dz = scale · (dalpha | dbeta) ∘ (1 − tanh² z)
 *     dr = alpha dm + (ρ ∘ dz) Gᵀ − ρ² ∘ rowsum(dz ∘ z) ∘ r,   dG = Σ rᵀ (ρ ∘ dz)
 *
 * where the last term of dr is 0 if ‖r_s‖ is below 1e-12, since ρ_s is a constant there. Besides r, z and
 * ρ are kept, some numbers a token.
 */
import * as tf from '@tensorflow/tfjs';

import {inverseNorm} from '../attention/l2_normalize';
import {closedFormsKeeping} from './closed_form';
import type {HyperConnectionWeights} from './hyper_connections';

const NAMES = [
  'static_alpha',
  'dynamic_alpha_fn',
  'dynamic_alpha_scale',
  'static_beta',
  'dynamic_beta_fn',
  'dynamic_beta_scale',
  'gamma',
] as const;

/** What {@link widthConnection} makes of T tokens. */
export interface Mixed {
  /** m_0 [T, D], which the branch reads. */
  input: tf.Tensor;
  /** m_1 … m_S [T, S, D] */
  carried: tf.Tensor;
  /** [T, S, 1] */
  beta: tf.Tensor;
}

/** r [T, S, D] -> what the branch reads and what its output is added to */
export function widthConnection(r: tf.Tensor, weights: HyperConnectionWeights): Mixed {
  const inputs = [r, ...NAMES.map((name) => weights[name])];
  const [input, carried, beta] = closedFormsKeeping(inputs, 3, {
    forward([r, ...given]) {
      const {z, inverse, long} = along(r, given);
      const {alpha, beta} = mixing(tf.tanh(z), given);
      const [first, others] = tf.split(alpha, [1, alpha.shape[2]! - 1], 2);
      const input = tf.reshape(tf.matMul(first, r, true, false), [r.shape[0], r.shape[2]!]);
      return [input, tf.matMul(others, r, true, false), beta, z, inverse, long];
    },
    gradients: ([dInput, dCarried, dBeta], [r, ...given], [z, inverse, long]) => {
      const h = tf.tanh(z);
      const [, , alphaScale, , , betaScale] = given;
      const {alpha} = mixing(h, given);
      const {dAlpha, carriedBack} = tf.tidy(() => {
        const dm = tf.concat([tf.expandDims(dInput, 1), dCarried], 1);
        return {dAlpha: tf.matMul(r, dm, false, true), carriedBack: tf.matMul(alpha, dm)};
      });
      const dScaled = tf.concat([tf.mul(dAlpha, alphaScale), tf.mul(dBeta, betaScale)], 2);
      const dz = tf.mul(dScaled, tf.sub(1, tf.square(h)));
      const [dR, dFn, dGamma] = alongGradients(dz, carriedBack, r, given, {z, inverse, long});
      const [hAlpha, hBeta] = tf.split(h, [dAlpha.shape[2]!, 1], 2);
      const [dAlphaFn, dBetaFn] = tf.split(dFn, [dAlpha.shape[2]!, 1], 1);
      return [
        dR,
        tf.sum(dAlpha, 0),
        dAlphaFn,
        tf.sum(tf.mul(dAlpha, hAlpha)),
        tf.sum(dBeta, [0, 2]),
        tf.reshape(dBetaFn, [-1]),
        tf.sum(tf.mul(dBeta, hBeta)),
        dGamma,
      ];
    },
  });
  return {input, carried, beta};
}

/** carried [T, S, D] and beta [T, S, 1] of {@link widthConnection}, the branch's output [T, D] -> [T, S, D] */
export function depthConnection(carried: tf.Tensor, beta: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const operation = tf.customGrad((...args) => {
    const save = args.pop() as unknown as tf.GradSaveFunc;
    const [carried, beta, y] = args as tf.Tensor[];
    save([beta, y]); // what is carried has no part in any gradient
    return {
      value: tf.tidy(() => tf.add(carried, tf.mul(beta, tf.expandDims(y, 1)))),
      gradFunc: (dOut: tf.Tensor, [beta, y]: tf.Tensor[]) =>
        tf.tidy(() => [
          dOut,
          tf.matMul(dOut, tf.expandDims(y, 2)),
          tf.reshape(tf.matMul(beta, dOut, true, false), y.shape),
        ]),
    };
  });
  return operation(carried, beta, y);
}

/** What the streams say: z [T, S, S + 2], and 1 / max(‖r_s‖, 1e-12) [T, S, 1]. */
interface Along {
  z: tf.Tensor;
  inverse: tf.Tensor;
  /** Whether ‖r_s‖ is above 1e-12. */
  long: tf.Tensor;
}

function along(r: tf.Tensor, given: tf.Tensor[]): Along {
  const {inverse, long} = inverseNorm(r);
  const {fn, gain} = columns(given);
  // the streams are read once, and no r / ‖r‖ is written
  const products = tf.matMul(rowsOf(r), tf.mul(gain, fn));
  const z = tf.mul(tf.reshape(products, [r.shape[0], r.shape[1]!, -1]), inverse);
  return {z, inverse, long};
}

/** Of r, given what it is besides by `carriedBack`; of alpha_fn | beta_fn; and of gamma. */
function alongGradients(
  dz: tf.Tensor,
  carriedBack: tf.Tensor,
  r: tf.Tensor,
  given: tf.Tensor[],
  {z, inverse, long}: Along,
): tf.Tensor[] {
  const {fn, gain} = columns(given);
  const dProducts = rowsOf(tf.mul(dz, inverse));
  const shrinking = tf.mul(tf.sum(tf.mul(dz, z), 2, true), tf.square(inverse));
  const dR = tf.tidy(() => {
    const spread = tf.matMul(dProducts, tf.transpose(tf.mul(gain, fn)));
    const grown = tf.add(carriedBack, tf.reshape(spread, r.shape));
    return tf.sub(grown, tf.mul(r, tf.where(long, shrinking, 0)));
  });
  // transposed before and after: these are small
  const dG = tf.transpose(tf.matMul(tf.transpose(dProducts), rowsOf(r)));
  const dGamma = tf.mul(tf.sum(tf.mul(dG, fn), 1), Math.sqrt(gain.size));
  return [dR, tf.mul(gain, dG), dGamma];
}

/** alpha_fn | beta_fn [D, S + 2], and √D · (gamma + 1) [D, 1] */
function columns([, alphaFn, , , betaFn, , gamma]: tf.Tensor[]) {
  const fn = tf.concat([alphaFn, tf.expandDims(betaFn, 1)] as tf.Tensor2D[], 1);
  return {fn, gain: tf.mul(tf.expandDims(tf.add(gamma, 1), 1), Math.sqrt(gamma.size))};
}

/** tanh z [T, S, S + 2] -> alpha [T, S, S + 1] and beta [T, S, 1] */
function mixing(h: tf.Tensor, given: tf.Tensor[]) {
  const [staticAlpha, , alphaScale, staticBeta, , betaScale] = given;
  const [hAlpha, hBeta] = tf.split(h, [h.shape[2]! - 1, 1], 2);
  return {
    alpha: tf.add(tf.mul(hAlpha, alphaScale), staticAlpha),
    beta: tf.add(tf.mul(hBeta, betaScale), tf.expandDims(staticBeta, 1)),
  };
}

function rowsOf(x: tf.Tensor): tf.Tensor {
  return tf.reshape(x, [-1, x.shape[2]!]);
}
