/** Checkpoints of the PyTorch original: into a model, and out of one. */
import * as tf from '@tensorflow/tfjs';

import {refuse, show} from '../src/check/errors';
import {CheckpointSource, readCheckpoint} from './checkpoint_source';
import {FLOAT_DTYPES, floatValues} from './float_values';
import {listed} from './listed';
import {StoredTensor, writeSafetensors} from './safetensors';
import {TorchTensor, torchTensors} from './torch_names';

/** What became of the tensors of a checkpoint, by their names in it. */
export interface CheckpointReport {
  /** Parameters, which the model now has. */
  loaded: string[];
  /** Buffers, which hold what they should and which the model computes itself: `inv_freq`. */
  ignored: string[];
}

const LOAD = 'loadCheckpoint';
const SAVE = 'saveCheckpoint';

/** How far a buffer may be from what it should hold, of its value: computed elsewhere, and rounded. */
const ROUNDING: Record<string, number> = {F32: 1e-5, F16: 2 ** -10, BF16: 2 ** -7};

/** What wrappers of PyTorch put before all names. */
const WRAPPERS = ['module.', '_orig_mod.'];

/**
 * Loads a safetensors checkpoint of the PyTorch original into a model of localTransformer, or of one
 * of its modules into the layer of that name, such as LocalMHA. Numbers may be F32, F16 or BF16. The
 * state of an optimizer stays as it is.
 *
 * The checkpoint must hold just what the original's state_dict would: all that is missing, extra or of
 * another shape is named in one error, and then nothing is loaded. A scalar may have the shape [1].
 *
 * @param target built: a layer is by its first `apply`, and so are the layers of a model
 * @param source the bytes of a file, a Blob, a URL, or {@link CheckpointShards}
 * @throws RangeError if the file is damaged, hostile or of another model; TypeError if `target` or
 *     `source` is nothing of the above; Error if a URL cannot be fetched
 */
export async function loadCheckpoint(
  target: tf.LayersModel | tf.layers.Layer,
  source: CheckpointSource,
): Promise<CheckpointReport> {
  const wanted = torchTensors(LOAD, target);
  const found = await readCheckpoint(LOAD, source);
  const wrong = differences(wanted, found);
  if (wrong.length > 0) {
    refuse(LOAD, `the checkpoint must be of this model, and nothing was loaded: ${listed(wrong)}`);
  }
  // all of them before the first is assigned, should there be no memory for one; and in a tidy, since
  // TF.js leaves behind what a constraint makes of a weight
  tf.tidy(() => {
    const values = wanted.map((one) => valueOf(one, found.get(one.name)!));
    wanted.forEach(({parameter}, i) => parameter?.write(values[i]!));
  });
  const names = (of: TorchTensor[]) => of.map(({name}) => name);
  return {
    loaded: names(wanted.filter(({parameter}) => parameter !== null)),
    ignored: names(wanted.filter(({buffer}) => buffer !== null)),
  };
}

/**
 * The weights of a model, or of one of its layers such as LocalMHA, as a safetensors file in float32
 * that the PyTorch original takes: `load_state_dict(load_file(path), strict=True)`.
 *
 * A model without absolute positions has no counterpart there that is strict: the original's
 * `pos_emb.weight` is not in its file, and must be set to zeros.
 *
 * @param target built, as for {@link loadCheckpoint}
 */
export async function saveCheckpoint(
  target: tf.LayersModel | tf.layers.Layer,
): Promise<Uint8Array<ArrayBuffer>> {
  const tensors = torchTensors(SAVE, target);
  // clones, so that a training step meanwhile does not part the weights
  const now = tensors.map(({parameter}) => parameter && tf.keep(tf.clone(parameter.read())));
  try {
    const values = await Promise.all(now.map((one) => one?.data<'float32'>()));
    return writeSafetensors(
      tensors.map(({name, shape, transposed, buffer}, i) => ({
        name,
        shape,
        values: buffer ?? (transposed ? transpose(values[i]!, shape[1]) : values[i]!),
      })),
    );
  } finally {
    now.forEach((one) => one?.dispose());
  }
}

/** All that keeps a checkpoint from being loaded. */
function differences(
  wanted: readonly TorchTensor[],
  found: ReadonlyMap<string, StoredTensor>,
): string[] {
  const names = new Set(wanted.map(({name}) => name));
  const extra = [...found.keys()].filter((name) => !names.has(name));
  const wrong = [
    ...wanted.flatMap((one) => difference(one, found.get(one.name)) ?? []),
    ...extra.map((name) => `${show(name)} is not in the model`),
  ];
  const wrapper = WRAPPERS.find((one) => found.size > 0 && extra.length === found.size && extra.every((name) => name.startsWith(one))); // prettier-ignore
  if (wrapper === undefined) return wrong;
  return [`all names begin with '${wrapper}' (save the state_dict of the model within)`, ...wrong];
}

function difference(
  {name, shape, buffer}: TorchTensor,
  stored: StoredTensor | undefined,
): string | null {
  if (stored === undefined) return `${show(name)} is missing`;
  if (!FLOAT_DTYPES.includes(stored.dtype)) {
    return `${show(name)} must be one of ${FLOAT_DTYPES.join(', ')}, got ${stored.dtype}`;
  }
  const isScalar = shape.length === 0 && isEqual(stored.shape, [1]);
  if (!isScalar && !isEqual(stored.shape, shape)) {
    return `${show(name)} must have the shape ${show(shape)}, got ${show(stored.shape)}`;
  }
  if (buffer === null) return null;
  const values = floatValues(stored);
  const close = (value: number, i: number) =>
    Math.abs(values[i] / value - 1) <= ROUNDING[stored.dtype];
  if (buffer.every(close)) return null;
  return `${show(name)} must hold ${show(buffer)}, got ${show(values)}`;
}

function isEqual(shape: readonly number[], other: readonly number[]): boolean {
  return shape.length === other.length && shape.every((size, axis) => size === other[axis]);
}

/** The tensor of a parameter, or null for a buffer. */
function valueOf(
  {parameter, shape, transposed}: TorchTensor,
  stored: StoredTensor,
): tf.Tensor | null {
  if (parameter === null) return null;
  const values = floatValues(stored);
  return tf.tensor(transposed ? transpose(values, shape[0]) : values, parameter.shape as number[]);
}

/** A matrix of so many rows, row-major, transposed. */
function transpose(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows;
  const transposed = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      transposed[column * rows + row] = values[row * columns + column];
    }
  }
  return transposed;
}
