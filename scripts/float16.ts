/** Safetensors in float32 -> the same in float16, rounded to the nearest. */
const LENGTH = 8; // bytes of the header's length

interface Place {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** @param file all of whose tensors are F32, as saveCheckpoint writes it */
export function halved(file: Uint8Array): Uint8Array {
  const words = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const begin = LENGTH + words.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(file.subarray(LENGTH, begin)));
  for (const [name, place] of Object.entries<Place>(header)) {
    if (name === '__metadata__') continue;
    const [from, to] = place.data_offsets;
    Object.assign(place, {dtype: 'F16', data_offsets: [from / 2, to / 2]});
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const half = new Uint8Array(LENGTH + padded + (file.length - begin) / 2).fill(0x20);
  half.set(json, LENGTH);
  const written = new DataView(half.buffer);
  written.setUint32(0, padded, true);
  written.setUint32(4, 0, true);
  for (let at = begin; at < file.length; at += 4) {
    const to = LENGTH + padded + (at - begin) / 2;
    written.setUint16(to, float16(words.getFloat32(at, true)), true);
  }
  return half;
}

const SIGNIFICANT = 2 ** 11; // bits of a float16, the hidden one counted
const LARGEST = 65504;

/** sign, 5 bits of exponent, 10 of fraction; ties go to the even one */
export function float16(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const size = Math.abs(x);
  if (!(size < LARGEST + 16)) throw new RangeError(`float16 does not hold ${x}.`);
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const unit = 2 ** (exponent + 1) / SIGNIFICANT;
  const units = even(size / unit); // a power of two divides exactly
  // the hidden bit adds one to the exponent's field, and so does a fraction that is rounded up to 2
  return sign | (((exponent + 14) << 10) + units);
}

function even(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
