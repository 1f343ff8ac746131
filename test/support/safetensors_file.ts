/** Files of the safetensors format, well-formed or not, put together by hand. */

type Member = {dtype?: unknown; shape?: unknown; data_offsets?: unknown; [other: string]: unknown};

export type Header = Record<string, Member | Record<string, string>>;

/** `length` in the first 8 bytes (default: the header's), then the header, then the data. */
export function fileOf(
  header: Header | string | Uint8Array,
  data: Uint8Array | number = 0,
  length?: bigint,
): Uint8Array {
  const text = typeof header === 'string' || header instanceof Uint8Array ? header : JSON.stringify(header); // prettier-ignore
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const rest = typeof data === 'number' ? new Uint8Array(data) : data;
  const file = new Uint8Array(8 + bytes.length + rest.length);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(bytes.length), true);
  file.set(bytes, 8);
  file.set(rest, 8 + bytes.length);
  return file;
}

/** A member of a header. */
export function described(dtype: string, shape: unknown, begin: number, end: number): Member {
  return {dtype, shape, data_offsets: [begin, end]};
}

export interface Stored {
  dtype: string;
  shape: readonly number[];
  bytes: Uint8Array;
}

/** The tensors in the order of the map, one after the other. */
export function packed(tensors: ReadonlyMap<string, Stored>): Uint8Array {
  let end = 0;
  const members = [...tensors].map(([name, {dtype, shape, bytes}]) => {
    const member = described(dtype, shape, end, end + bytes.length);
    end += bytes.length;
    return `${JSON.stringify(name)}:${JSON.stringify(member)}`;
  });
  const data = Buffer.concat([...tensors.values()].map(({bytes}) => bytes));
  return fileOf(`{${members.join(',')}}`, data);
}

export function float32(...values: number[]): Stored {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return {dtype: 'F32', shape: [values.length], bytes};
}
