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
 * ρ are kept, some numbers a token. The streams are read twice and written once, and so in the gradient;
 * what is carried is mixed only when the branch's output is there to be added.
 */
import * as tf from '@tensorflow/tfjs';

import {inverseRoot} from '../attention/l2_normalize';
import {closedFormsKeeping} from './closed_form';
import type {HyperConnectionWeights} from './hyper_connections';
import {matMul} from './mat_mul';
import {combine, dots} from './token_rows';

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
  /**
   * For autodiff m_1 … m_S [T, S, D], of which {@link depthConnection} makes a gradient. Its numbers are
   * still those of r, so that it takes no memory while the branch is computed.
   */
  carried: tf.Tensor;
  /** [T, S, S]: what `carried` is to be multiplied by. */
  carrying: tf.Tensor;
  /** [T, S, 1] */
  beta: tf.Tensor;
}

/** r [T, S, D] -> what the branch reads and what its output is added to */
export function widthConnection(r: tf.Tensor, weights: HyperConnectionWeights): Mixed {
  const inputs = [r, ...NAMES.map((name) => weights[name])];
  const [tokens, count, dim] = r.shape as number[];
  const [input, carried, beta, carrying] = closedFormsKeeping(inputs, 4, {
    forward([r, ...given]) {
      const {z, inverse, long} = along(r, given);
      const {alpha, beta} = mixing(tf.tanh(z), given);
      const [first, others] = tf.split(alpha, [1, count], 2);
      const input = combine(tf.reshape(first, [tokens, 1, count]), [r]);
      const carrying = tf.transpose(others, [0, 2, 1]);
      return [tf.reshape(input, [tokens, dim]), tf.clone(r), beta, carrying, z, inverse, long];
    },
    gradients: ([dInput, dCarried, dBeta], [r, ...given], [z, inverse, long]) => {
      const h = tf.tanh(z);
      const [, , alphaScale, , , betaScale] = given;
      const dm = [tf.expandDims(dInput, 1), dCarried];
      const dAlpha = dots(r, dm);
      const dScaled = tf.concat([tf.mul(dAlpha, alphaScale), tf.mul(dBeta, betaScale)], 2);
      const dz = tf.mul(dScaled, tf.sub(1, tf.square(h)));
      const dProducts = tf.mul(dz, inverse);
      const shrinking = tf.mul(tf.sum(tf.mul(dz, z), 2, true), tf.square(inverse));
      const ofR = tf.mul(tf.where(long, tf.neg(shrinking), 0), tf.eye(count));
      const {fn, gain} = columns(given);
      const g = tf.transpose(tf.mul(gain, fn));
      const dR = combine(tf.concat([mixing(h, given).alpha, ofR, dProducts], 2), [...dm, r, g]);

      const byRow = tf.reshape(dProducts, [tokens * count, count + 2]);
      const dG = tf.transpose(matMul(byRow, tf.reshape(r, [tokens * count, dim]), true, false));
      const [dAlphaFn, dBetaFn] = tf.split(tf.mul(gain, dG), [count + 1, 1], 1);
      const [hAlpha, hBeta] = tf.split(h, [count + 1, 1], 2);
      return [
        dR,
        tf.sum(dAlpha, 0),
        dAlphaFn,
        tf.sum(tf.mul(dAlpha, hAlpha)),
        tf.sum(dBeta, [0, 2]),
        tf.reshape(dBetaFn, [dim]),
        tf.sum(tf.mul(dBeta, hBeta)),
        tf.mul(tf.sum(tf.mul(dG, fn), 1), Math.sqrt(dim)),
      ];
    },
  });
  return {input, carried, carrying, beta};
}

/** What {@link widthConnection} made, and the branch's output y [T, D] -> the new streams [T, S, D] */
export function depthConnection({carried, carrying, beta}: Mixed, y: tf.Tensor): tf.Tensor {
  const operation = tf.customGrad((...args) => {
    const save = args.pop() as unknown as tf.GradSaveFunc;
    const [carried, beta, y] = args as tf.Tensor[];
    save([beta, y]); // what is carried has no part in any gradient
    return {
      value: tf.tidy(() => combine(tf.concat([carrying, beta], 2), [carried, tf.expandDims(y, 1)])),
      gradFunc: (dOut: tf.Tensor, [beta, y]: tf.Tensor[]) =>
        tf.tidy(() => {
          const {shape} = beta;
          const dY = combine(tf.reshape(beta, [shape[0], 1, shape[1]!]), [dOut]);
          return [dOut, dots(dOut, [tf.expandDims(y, 1)]), tf.reshape(dY, y.shape)];
        }),
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
  const [tokens, count, dim] = r.shape as number[];
  const {fn, gain} = columns(given);
  const rows = tf.reshape(r, [tokens * count, 1, dim]);
  const products = dots(rows, [rows, tf.transpose(tf.mul(gain, fn))]);
  const [square, ofG] = tf.split(tf.reshape(products, [tokens, count, -1]), [1, count + 2], 2);
  const {inverse, long} = inverseRoot(square);
  return {z: tf.mul(ofG, inverse), inverse, long};
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
