import * as tf from '@tensorflow/tfjs';

import {nothing} from '../attention/nothing';
import {fail, failType, refuse} from '../check/errors';
import {integer} from '../check/option_kinds';
import {Given, readOptions} from '../check/options';
import {checkTensor} from '../check/tensors';

const FN = 'languageModelLoss';

const OPTIONS = {
  /** The label that the mean leaves out, such as the token that pads. */
  ignoreIndex: integer(-1),
};

/**
 * The options of {@link languageModelLoss}. `null` counts as absent.
 *
 * @interface
 */
export type LanguageModelLossOptions = Given<typeof OPTIONS>;

/**
 * The loss of a language model, in nats: the cross entropy of each next token, meaned over those that
 * are not `ignoreIndex`,
 *
 *     loss = mean over b, i of  log Σ_v exp(logits[b, i, v]) − logits[b, i, ids[b, i + 1]],   i < n − 1
 *
 * as the original's `return_loss` has it. The logits of the last position are asked nothing. Where all
 * labels are ignored, or n is 1, the loss is NaN and its gradient 0, as in the original. A label that is
 * no token, outside of [0, V) and not `ignoreIndex`, makes the loss NaN, where the original throws: to
 * throw, a GPU would have to be asked in each step.
 *
 * It is its own loss for `model.compile`, which calls losses with the labels first; the logits are
 * the one of three axes, whichever comes first:
 *
 *     model.compile({optimizer: 'adam', loss: languageModelLoss});
 *     await model.fit(ids, ids);
 *     model.compile({optimizer: 'adam', loss: (ids, logits) => languageModelLoss(logits, ids, {ignoreIndex: 0})});
 *
 * The gradient is in closed form, (softmax(logits) − one-hot) / count, and keeps the logits alone.
 *
 * @param logits [B, n, V] float32, such as the model's of these very ids
 * @param ids [B, n], int32 (or float32, which are made so)
 * @returns a scalar
 * @throws RangeError or TypeError that names the argument, the rule and the value
 */
export function languageModelLoss(
  logits: tf.Tensor,
  ids: tf.Tensor,
  options: LanguageModelLossOptions = {},
): tf.Scalar {
  const {ignoreIndex} = readOptions(FN, OPTIONS, options);
  // model.compile's losses take (ids, logits)
  if ((ids as tf.Tensor | null)?.rank === 3 && (logits as tf.Tensor | null)?.rank === 2) {
    [logits, ids] = [ids, logits];
  }
  checkTensor(FN, 'logits', logits, 'float32');
  if (logits.rank !== 3) fail(FN, 'logits must have the shape [B, n, V]', logits);
  checkLabels(ids, logits.shape);
  const [batch, n, numTokens] = logits.shape as [number, number, number];
  if (logits.size === 0) return tf.tidy(() => noLabels(logits));
  return tf.tidy(() => {
    const rows = tf.reshape(logits, [batch * n, numTokens]) as tf.Tensor2D;
    return crossEntropy(rows, ids, ignoreIndex);
  });
}

function checkLabels(ids: unknown, [batch, n]: number[]): asserts ids is tf.Tensor {
  if (!(ids instanceof tf.Tensor)) failType(FN, 'ids must be a tf.Tensor of int32', ids);
  if (ids.isDisposed) refuse(FN, 'ids must not be disposed (tf.keep or tf.clone keeps one)');
  if (ids.dtype !== 'int32' && ids.dtype !== 'float32') {
    failType(FN, 'ids must be int32 (or float32, which are made so)', ids);
  }
  if (ids.rank !== 2 || ids.shape[0] !== batch || ids.shape[1] !== n) {
    fail(FN, `ids must have the shape [B, n] of the logits, [${batch}, ${n}]`, ids);
  }
}

/** NaN, with a gradient. */
function noLabels(logits: tf.Tensor): tf.Scalar {
  return tf.add(nothing([logits], []), NaN);
}

/** logits [T, V] and ids [B, n] -> the mean over the labels that are not ignored */
function crossEntropy(logits: tf.Tensor2D, ids: tf.Tensor, ignoreIndex: number): tf.Scalar {
  const operation = tf.customGrad((...args) => {
    const [logits, save] = args as unknown as [tf.Tensor2D, tf.GradSaveFunc];
    save([logits, ids]);
    const {counts, isToken, tokens} = readLabels(ids, logits, ignoreIndex);
    const count = tf.sum(tf.cast(counts, 'float32'));

    const shifted = tf.sub(logits, tf.max(logits, 1, true)); // so that no exponential overflows
    const isOwn = oneHot(tokens, logits.shape[1], 'bool');
    // chosen, not multiplied: 0 · −∞ is NaN
    const own = tf.sum(tf.where(isOwn, shifted, tf.zerosLike(shifted)), 1);
    const surprises = tf.sub(tf.log(tf.sum(tf.exp(shifted), 1)), own);
    const known = tf.where(isToken, surprises, tf.fill(tokens.shape, NaN));
    const sum = tf.sum(tf.where(counts, known, tf.zerosLike(known)));
    return {
      // apart, since WebGL says that 0 / 0 is 1
      value: tf.where(tf.greater(count, 0), tf.div(sum, tf.maximum(count, 1)), tf.scalar(NaN)),
      gradFunc: (dy: tf.Tensor, [logits, ids]: tf.Tensor[]) =>
        tf.mul(dy, gradient(logits as tf.Tensor2D, ids, ignoreIndex)),
    };
  });
  return operation(logits) as tf.Scalar;
}

function gradient(logits: tf.Tensor2D, ids: tf.Tensor, ignoreIndex: number): tf.Tensor {
  const {counts, tokens} = readLabels(ids, logits, ignoreIndex);
  const ones = tf.cast(counts, 'float32');
  const share = tf.expandDims(tf.div(ones, tf.maximum(tf.sum(ones), 1)), 1); // [T, 1]
  const own = oneHot(tokens, logits.shape[1], 'float32');
  return tf.mul(tf.sub(tf.softmax(logits), own), share);
}

/** Of the label of each position, [T]: whether it counts, whether it is a token, and if not some token. */
function readLabels(ids: tf.Tensor, logits: tf.Tensor2D, ignoreIndex: number) {
  const labels = nextTokens(ids, ignoreIndex);
  const [ignored, none, end] = [ignoreIndex, 0, logits.shape[1]].map((id) =>
    tf.scalar(id, 'int32'),
  );
  const isToken = tf.logicalAnd(tf.greaterEqual(labels, none), tf.less(labels, end));
  return {
    counts: tf.notEqual(labels, ignored),
    isToken,
    tokens: tf.where(isToken, labels, tf.zerosLike(labels)), // kernels read wherever they are told
  };
}

/**
 * The label of each position, [B · n]; the last of a sequence has none. So the logits need not be cut,
 * which would copy them, and their gradient need not be padded.
 */
function nextTokens(ids: tf.Tensor, ignoreIndex: number): tf.Tensor1D {
  const [batch, n] = ids.shape;
  const next = tf.slice(tf.cast(ids, 'int32'), [0, 1], [batch, n - 1]);
  const none = tf.fill([batch, 1], ignoreIndex, 'int32');
  return tf.reshape(n > 1 ? tf.concat([next, none], 1) : none, [batch * n]) as tf.Tensor1D;
}

/** tokens [T] -> [T, V]; tf.oneHot wants two columns at least. */
function oneHot(tokens: tf.Tensor1D, numTokens: number, dtype: 'bool' | 'float32'): tf.Tensor {
  if (numTokens === 1) return tf.ones([tokens.size, 1], dtype);
  return tf.cast(tf.oneHot(tokens, numTokens), dtype);
}
