/** Values as the program reads them. */
import type {DataType} from '@tensorflow/tfjs';

export type Values = Float32Array | Int32Array | Uint8Array;

/**
 * A bool in a byte, all else as float32. TF.js's cast on cpu leaves the array as it is and changes the
 * dtype alone, so any kind may come.
 */
export function readable(values: Values, dtype: DataType): Float32Array | Uint8Array {
  return dtype === 'bool' ? bools(values) : floats(values);
}

function floats(values: Values): Float32Array {
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

function bools(values: Values): Uint8Array {
  return values instanceof Uint8Array ? values : Uint8Array.from(values, (value) => +(value !== 0));
}
