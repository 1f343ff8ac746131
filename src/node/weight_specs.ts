import type * as tf from '@tensorflow/tfjs';
import {fail, failType, refuse, show} from '../check/errors';

const FN = 'fileSystem';

/** Bytes per value. Each string is its length in 4 bytes, then so many bytes. */
const BYTES: Record<string, number> = {float32: 4, int32: 4, bool: 1, complex64: 8, string: 4};
const QUANTIZED_BYTES: Record<string, number> = {uint8: 1, uint16: 2, float16: 2};

/** Throws unless each describes a weight that TensorFlow.js can decode. */
export function checkSpecs(specs: readonly unknown[]): void {
  for (const spec of specs) {
    if (typeof spec !== 'object' || spec === null) {
      failType(FN, 'a weight must be described by its name, shape and dtype', spec);
    }
    const {name, shape, dtype, quantization} = spec as Record<string, unknown>;
    if (typeof name !== 'string') failType(FN, 'the name of a weight must be a string', name);
    const weight = `weight ${show(name)}`;
    const rule = `the shape of ${weight} must be a list of whole numbers, 0 or more`;
    if (!Array.isArray(shape)) failType(FN, rule, shape);
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) fail(FN, rule, shape);
    checkNamed(`the dtype of ${weight}`, BYTES, dtype);
    if (quantization === undefined) continue;
    const stored = (quantization as {dtype?: unknown} | null)?.dtype;
    checkNamed(`the quantization.dtype of ${weight}`, QUANTIZED_BYTES, stored);
  }
}

function checkNamed(what: string, table: Record<string, number>, name: unknown): void {
  const rule = `${what} must be one of ${Object.keys(table).join(', ')}`;
  if (typeof name !== 'string') failType(FN, rule, name);
  if (!Object.hasOwn(table, name)) fail(FN, rule, name);
}

/** Throws unless the specs describe all of the bytes, which are found at `where`. */
export function checkSize(
  where: string,
  bytes: DataView,
  specs: readonly tf.io.WeightsManifestEntry[],
): void {
  let described = 0;
  for (const {shape, dtype, quantization} of specs) {
    let values = shape.reduce((product, size) => product * size, 1);
    if (dtype === 'string' && quantization === undefined) {
      for (; values > 0 && described + 4 <= bytes.byteLength; values--) {
        described += 4 + bytes.getUint32(described, true);
      }
    }
    described += values * (quantization ? QUANTIZED_BYTES[quantization.dtype] : BYTES[dtype]);
  }
  if (described !== bytes.byteLength) {
    const rule = `its weight specs describe ${described}: it is damaged or of another model`;
    refuse(FN, `${where} holds ${bytes.byteLength} bytes, but ${rule}`);
  }
}
