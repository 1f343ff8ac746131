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
