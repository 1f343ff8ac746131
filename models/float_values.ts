import type {StoredTensor} from './safetensors';

/** The dtypes whose numbers {@link floatValues} reads. */
export const FLOAT_DTYPES = ['F32', 'F16', 'BF16'];

/** The numbers of a stored tensor of one of {@link FLOAT_DTYPES} in float32, which holds them all. */
export function floatValues({dtype, bytes}: StoredTensor): Float32Array {
  // a copy: the view may begin at any byte of a file that belongs to the caller
  const copy = bytes.slice().buffer;
  if (dtype === 'F32') return new Float32Array(copy);
  const halves = new Uint16Array(copy);
  if (dtype === 'F16') return Float32Array.from(halves, float16);
  return new Float32Array(Uint32Array.from(halves, (bits) => bits << 16).buffer);
}

/** sign, 5 bits of exponent, 10 of fraction */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 0) return sign * fraction * 2 ** -14;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction) * 2 ** (exponent - 15);
}
