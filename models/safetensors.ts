/**
 * The safetensors format: bytes <-> named tensors.
 *
 *   8 bytes    length of the header, little-endian
 *   header     {"__metadata__": {"format": "pt"}, "name": {"dtype": "F32", "shape": [2, 3],
 *              "data_offsets": [begin, end]}, …}, spaces at its end
 *   data       the tensors, each at its offsets into this part, without holes, row-major, little-endian
 *
 * Reading trusts nothing: all that the header says is checked before a number is looked at, and what
 * is kept of a tensor is a view of the file. It accepts no file that the format's own library refuses.
 */
import {refuse, show} from '../src/check/errors';
import {JsonReader} from './json_reader';

/** A tensor as it lies in a file. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** A view of the file. */
  readonly bytes: Uint8Array;
}

/** A tensor to be written. */
export interface NamedValues {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Where a tensor's bytes lie in the data. */
interface Place {
  name: string;
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

const LENGTH = 8; // bytes of the header's length
const LONGEST_HEADER = 100_000_000; // bytes, as in the format's own library
const MOST_AXES = 64; // as in PyTorch
const METADATA = '__metadata__';

/** Bytes of a number. */
const BYTES = new Map([
  ...(['BOOL', 'U8', 'I8', 'F8_E4M3', 'F8_E5M2'] as const).map((dtype) => [dtype, 1] as const),
  ...(['U16', 'I16', 'F16', 'BF16'] as const).map((dtype) => [dtype, 2] as const),
  ...(['U32', 'I32', 'F32'] as const).map((dtype) => [dtype, 4] as const),
  ...(['U64', 'I64', 'F64', 'C64'] as const).map((dtype) => [dtype, 8] as const),
] as [string, number][]);

/**
 * The tensors of a file by their names.
 *
 * @param where what the bytes are, in the words of a message
 * @throws RangeError if the bytes are no safetensors file, or not a whole one
 */
export function readSafetensors(
  fn: string,
  where: string,
  file: Uint8Array,
): Map<string, StoredTensor> {
  const header = headerOf(fn, where, file);
  const data = file.subarray(LENGTH + header.length);
  const places = placesIn(fn, `the header of ${where}`, header);
  checkLayout(fn, where, places, data.length);
  const stored = ({dtype, shape, begin, end}: Place) => ({dtype, shape, bytes: data.subarray(begin, end)}); // prettier-ignore
  return new Map(places.map((place) => [place.name, stored(place)]));
}

function headerOf(fn: string, where: string, file: Uint8Array): Uint8Array {
  const is = `${where} must be a safetensors file, which begins with the length of its header`;
  if (file.length < LENGTH) refuse(fn, `${is} in ${LENGTH} bytes, got ${file.length} bytes`);
  const words = new DataView(file.buffer, file.byteOffset, LENGTH);
  const length = words.getUint32(4, true) * 2 ** 32 + words.getUint32(0, true);
  if (length > LONGEST_HEADER) refuse(fn, `${is}, at most ${LONGEST_HEADER} bytes, got ${length}`);
  if (LENGTH + length > file.length) {
    refuse(fn, `${is}, but a header of ${length} bytes ends beyond its ${file.length} bytes`);
  }
  return file.subarray(LENGTH, LENGTH + length);
}

function placesIn(fn: string, where: string, header: Uint8Array): Place[] {
  const places: Place[] = [];
  const json = new JsonReader(fn, where, header);
  json.object('the object that lists the tensors', (name) => {
    if (name !== METADATA) return places.push(placeOf(fn, where, name, json));
    return json.object(METADATA, () => json.string(`a string in ${METADATA}`));
  });
  json.end();
  return places;
}

function placeOf(fn: string, where: string, name: string, json: JsonReader): Place {
  const tensor = `tensor ${show(name)}`;
  const found: {dtype?: string; shape?: number[]; data_offsets?: number[]} = {};
  json.object(`the object that describes ${tensor}`, (field) => {
    const what = `${field} of ${tensor}`;
    if (field === 'dtype') found.dtype = json.string(`the ${what}, a string,`);
    else if (field === 'shape') found.shape = json.wholeNumbers(`the ${what}, whole numbers,`, MOST_AXES); // prettier-ignore
    else if (field === 'data_offsets') found.data_offsets = json.wholeNumbers(`the ${what}, two whole numbers,`, 2); // prettier-ignore
    else refuse(fn, `${where} must say dtype, shape and data_offsets of ${tensor}, got ${show(field)}`); // prettier-ignore
  });
  const {dtype, shape, data_offsets: offsets} = found;
  if (dtype === undefined || shape === undefined || offsets?.length !== 2) {
    return refuse(fn, `${where} must say dtype, shape and two data_offsets of ${tensor}`);
  }
  const [begin, end] = offsets;
  return {name, dtype, shape, begin, end};
}

/** Throws unless each tensor takes the bytes that it should, and they are all of the data. */
function checkLayout(fn: string, where: string, places: Place[], length: number): void {
  let free = 0;
  let before = '';
  const inOrder = [...places].sort((a, b) => a.begin - b.begin || a.end - b.end);
  for (const {name, dtype, shape, begin, end} of inOrder) {
    const tensor = `tensor ${show(name)} of ${where}`;
    const at = `[${begin}, ${end}]`;
    const bytes = BYTES.get(dtype);
    if (bytes === undefined) {
      refuse(fn, `${tensor} must have a dtype of ${[...BYTES.keys()].join(', ')}, got ${show(dtype)}`); // prettier-ignore
    }
    let size = bytes;
    for (const axis of shape) size = checkProduct(fn, tensor, shape, size * axis);
    if (begin > end) refuse(fn, `${tensor} must have its data_offsets in order, got ${at}`);
    if (end > length)
      refuse(fn, `${tensor} must end within the ${length} bytes of data, got ${at}`);
    if (end - begin !== size) {
      refuse(fn, `${tensor} must take ${size} bytes as ${dtype} ${show(shape)}, got ${at}`);
    }
    if (begin < free) refuse(fn, `${tensor} must not overlap with ${before}, which ends at ${free}, got ${at}`); // prettier-ignore
    if (begin > free) refuse(fn, `${tensor} must begin at ${free}, without a hole before it, got ${at}`); // prettier-ignore
    [free, before] = [end, show(name)];
  }
  if (free < length) refuse(fn, `the tensors of ${where} must take all bytes of data, got ${length} and they take ${free}`); // prettier-ignore
}

function checkProduct(fn: string, tensor: string, shape: number[], size: number): number {
  if (Number.isSafeInteger(size)) return size;
  return refuse(fn, `${tensor} must have a size that can be counted, got ${show(shape)}`);
}

/**
 * The bytes of a file, in float32, as safetensors.torch.save_file writes it: the tensors by name, and
 * a header padded with spaces so that the data begin at a multiple of 8 bytes.
 */
export function writeSafetensors(tensors: readonly NamedValues[]): Uint8Array<ArrayBuffer> {
  const inOrder = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  let free = 0;
  const entries = inOrder.map(({name, shape, values}) => {
    const begin = free;
    free += values.byteLength;
    const entry = {dtype: 'F32', shape, data_offsets: [begin, free]};
    return `${JSON.stringify(name)}:${JSON.stringify(entry)}`;
  });
  const members = [`"${METADATA}":${JSON.stringify({format: 'pt'})}`, ...entries];
  const header = new TextEncoder().encode(`{${members.join(',')}}`);

  const length = Math.ceil(header.length / LENGTH) * LENGTH;
  const file = new Uint8Array(LENGTH + length + free).fill(
    ' '.charCodeAt(0),
    LENGTH,
    LENGTH + length,
  );
  new DataView(file.buffer).setUint32(0, length, true); // the upper half of the 8 bytes stays 0
  file.set(header, LENGTH);
  let at = LENGTH + length;
  for (const {values} of inOrder) {
    new Float32Array(file.buffer, at, values.length).set(values);
    at += values.byteLength;
  }
  return file;
}
