/** Files of safetensors with something wrong in them, by a seed. */

/** Numbers in [0, 1): mulberry32. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Draw = (below: number) => number;
type Mutation = (file: Buffer, draw: Draw) => Buffer;

const NUMBERS = ['-1', '0', '1', '3', '1.5', '1e9', '01', '""', '[]', 'null', '4294967296', '9007199254740991', '18446744073709551616']; // prettier-ignore
const TOKENS = ['{', '}', '[', ']', ',', ':', '"', '\\', '\\u0000', '\\ud800', ' ', '\n', '\0', '\xff', '\xc3', '{}', 'null', '"__proto__"', '"a":', '"dtype":"F16",', '"F16"', '"BF16"', '"I64"', '"__metadata__":{},', '[[[[[[[['] as const; // prettier-ignore

const headerEnd = (file: Buffer) => Math.min(file.length, 8 + file.readUInt32LE(0));
const spliced = (file: Buffer, at: number, removed: number, added: Uint8Array) =>
  Buffer.concat([file.subarray(0, at), added, file.subarray(at + removed)]);

/** A change of the header that keeps the length before it true. */
function inHeader(change: (header: string, draw: Draw) => string): Mutation {
  return (file, draw) => {
    const end = headerEnd(file);
    const header = Buffer.from(change(file.subarray(8, end).toString('latin1'), draw), 'latin1');
    const changed = Buffer.concat([file.subarray(0, 8), header, file.subarray(end)]);
    changed.writeUInt32LE(header.length, 0);
    return changed;
  };
}

/** One of the places where the pattern stands, replaced. */
function replaced(header: string, pattern: RegExp, draw: Draw, by: (found: string) => string) {
  const found = [...header.matchAll(pattern)];
  if (found.length === 0) return header;
  const {0: text, index} = found[draw(found.length)];
  return header.slice(0, index) + by(text) + header.slice(index + text.length);
}

const MEMBER = /"[^"{}]*":\{"dtype"[^}]*\},?/g;

const MUTATIONS: readonly Mutation[] = [
  (file, draw) => spliced(file, draw(file.length), 1, Buffer.of(draw(256))),
  (file, draw) => spliced(file, draw(headerEnd(file)), 1, Buffer.of(draw(256))),
  (file, draw) => spliced(file, draw(8), 1, Buffer.of(draw(256))),
  (file, draw) => {
    const [at, bit] = [draw(headerEnd(file)), draw(8)];
    return spliced(file, at, 1, Buffer.of(file[at] ^ (1 << bit)));
  },
  (file, draw) => file.subarray(0, draw(file.length)),
  (file, draw) => Buffer.concat([file, Buffer.alloc(1 + draw(64))]),
  (file, draw) => spliced(file, draw(file.length), 1 + draw(40), Buffer.alloc(0)),
  (file, draw) => {
    const from = draw(file.length);
    return spliced(file, draw(file.length), 0, file.subarray(from, from + draw(200)));
  },
  inHeader((header, draw) => replaced(header, /\d+/g, draw, () => NUMBERS[draw(NUMBERS.length)])),
  inHeader((header, draw) => replaced(header, /\d+/g, draw, (one) => String(Number(one) + draw(3) * 4 - 4))), // prettier-ignore
  inHeader((header, draw) =>
    replaced(header, MEMBER, draw, (one) => one.replace(/,?$/, ',') + one),
  ),
  inHeader((header, draw) => replaced(header, MEMBER, draw, () => '')),
  inHeader((header, draw) => replaced(header, MEMBER, draw, (one) => one.replace(/^"[^"]*"/, '"__proto__"'))), // prettier-ignore
  inHeader((header, draw) => replaced(header, /"F32"|"BF16"|"F16"/g, draw, () => TOKENS[draw(TOKENS.length)])), // prettier-ignore
  inHeader((header, draw) => {
    const at = draw(header.length + 1);
    return header.slice(0, at) + TOKENS[draw(TOKENS.length)] + header.slice(at + draw(2));
  }),
  inHeader((header, draw) => replaced(header, /"data_offsets":\[\d+,\d+\]/g, draw, (one) => one.replace(/(\d+),(\d+)/, '$2,$1'))), // prettier-ignore
];

/** The file after one to three changes, of the header's numbers, members, tokens and bytes mostly. */
export function mutated(file: Uint8Array, seed: number): Uint8Array {
  const next = random(seed);
  const draw = (below: number) => Math.floor(next() * below);
  let changed = Buffer.from(file);
  for (let left = 1 + draw(3); left > 0 && changed.length > 16; left--) {
    changed = Buffer.from(MUTATIONS[draw(MUTATIONS.length)](changed, draw));
  }
  return changed;
}
