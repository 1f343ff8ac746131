import {readFileSync} from 'node:fs';
import {join} from 'node:path';

import {floatValues} from '../../models/float_values';
import {StoredTensor, readSafetensors, writeSafetensors} from '../../models/safetensors';
import {Header, described, fileOf} from '../support/safetensors_file';

const read = (file: Uint8Array) => readSafetensors('fn', 'the file', file);

const F32 = (...values: number[]) => new Uint8Array(Float32Array.of(...values).buffer);
const bits16 = (values: Iterable<number>) => new Uint8Array(Uint16Array.from(values).buffer);

/** The bytes from `begin` on of a larger buffer, at an odd address. */
function unaligned(bytes: Uint8Array): Uint8Array {
  const larger = new Uint8Array(bytes.length + 3);
  larger.set(bytes, 3);
  return larger.subarray(3);
}

test('tensors come back by name, shape and bits, from any address', () => {
  const values = Float32Array.of(1, -0, NaN, Infinity, 1e-45, 3.4e38);
  const written = writeSafetensors([
    {name: 'b', shape: [2, 3], values},
    {name: 'a ü "\\', shape: [], values: Float32Array.of(7)},
    {name: 'none', shape: [0, 5], values: new Float32Array(0)},
  ]);
  for (const file of [written, unaligned(written)]) {
    const found = read(file);
    expect([...found].map(([name, {dtype, shape}]) => [name, dtype, shape])).toEqual([
      ['a ü "\\', 'F32', []],
      ['b', 'F32', [2, 3]],
      ['none', 'F32', [0, 5]],
    ]);
    expect(floatValues(found.get('a ü "\\')!)).toEqual(Float32Array.of(7));
    const bits = new Int32Array(floatValues(found.get('b')!).buffer);
    expect(bits).toEqual(new Int32Array(values.buffer));
  }
});

test('a file is written as safetensors.torch.save_file writes it', () => {
  const file = writeSafetensors([
    {name: 'w', shape: [2], values: Float32Array.of(1, 2)},
    {name: 'B', shape: [], values: Float32Array.of(3)},
  ]);
  const header =
    '{"__metadata__":{"format":"pt"},"B":{"dtype":"F32","shape":[],"data_offsets":[0,4]},' +
    '"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}';
  const padded = header + ' '.repeat((8 - (header.length % 8)) % 8);
  expect(file).toEqual(fileOf(padded, F32(3, 1, 2)));
  expect((file.length - 12) % 8).toBe(0);
});

test('reading copies nothing, and the numbers are a copy', () => {
  const file = fileOf({a: described('F32', [2], 0, 8)}, F32(1, 2));
  const tensor = read(file).get('a')!;
  expect(tensor.bytes.buffer).toBe(file.buffer);
  const values = floatValues(tensor);
  file.fill(0);
  expect(values).toEqual(Float32Array.of(1, 2));
});

test('all 65536 numbers of float16 are read right', () => {
  const tensor: StoredTensor = {
    dtype: 'F16',
    shape: [65536],
    bytes: bits16(Array(65536).keys()),
  };
  const values = floatValues(tensor);
  // by the bits of float32: an exponent that is 112 larger, and subnormals as whole numbers
  const [word, number] = [new Uint32Array(1), new Float32Array(1)];
  const bitsOf = new Uint32Array(number.buffer);
  for (let bits = 0; bits < 65536; bits++) {
    const [sign, rest] = [bits >>> 15, bits & 0x7fff];
    word[0] = (sign << 31) | ((rest << 13) + (112 << 23));
    if (rest >= 0x7c00) word[0] = (sign << 31) | 0x7f800000 | ((rest & 1023) << 13);
    let expected = new Float32Array(word.buffer)[0];
    if (rest < 0x400) expected = (sign ? -1 : 1) * rest * 2 ** -24;
    number[0] = expected;
    const wanted = bitsOf[0];
    number[0] = values[bits];
    if (Number.isNaN(expected)) expect(values[bits]).toBeNaN();
    else if (bitsOf[0] !== wanted) throw new Error(`${bits}: ${values[bits]}, not ${expected}`);
  }
});

test('bfloat16 is the upper half of float32', () => {
  const tensor = {dtype: 'BF16', shape: [4], bytes: bits16([0x3f80, 0xc049, 0x7f80, 0x0001])};
  const wanted = Float32Array.of(1, -3.140625, Infinity, 9.183549615799121e-41);
  expect(floatValues(tensor)).toEqual(wanted);
});

test('spaces, escapes, metadata and the order of fields may be as JSON lets them', () => {
  const header =
    '{ "\\u0061\\n" :\t{"data_offsets": [ 0 , 4 ], "shape":[ ],\n"dtype":"F32"} , ' +
    '"__metadata__": {"format": "pt", "by": "\\"me\\""}}  ';
  expect([...read(fileOf(header, 4)).keys()]).toEqual(['a\n']);
  expect(read(fileOf('{}')).size).toBe(0);
});

test('a name that is a word of JavaScript is a name', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const members = names.map(
    (name, i) => `"${name}":${JSON.stringify(described('F32', [1], 4 * i, 4 * i + 4))}`,
  );
  const found = read(fileOf(`{${members.join(',')}}`, 16));
  expect([...found.keys()]).toEqual(names);
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
});

const a = (shape: unknown, begin: number, end: number, dtype = 'F32'): Header => ({
  a: described(dtype, shape, begin, end),
});
const two = (first: [number, number], second: [number, number], sizes = [1, 1]): Header => ({
  a: described('F32', [sizes[0]], ...first),
  b: described('F32', [sizes[1]], ...second),
});
const begins = 'the file must be a safetensors file, which begins with the length of its header';
const HEAD = 'the header of the file must';
const latin1 = (text: string) => Uint8Array.from(text, (one) => one.charCodeAt(0));
const twice = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'; // prettier-ignore
const unknown = 'tensor \'a\' of the file must have a dtype of BOOL, U8, I8, F8_E4M3, F8_E5M2, U16, I16, F16, BF16, U32, I32, F32, U64, I64, F64, C64'; // prettier-ignore

const BAD: [string, Uint8Array, string][] = [
  ['no bytes', new Uint8Array(0), `${begins} in 8 bytes, got 0 bytes`],
  ['seven bytes', new Uint8Array(7), `${begins} in 8 bytes, got 7 bytes`],
  ['no header', new Uint8Array(8), `${HEAD} have the object that lists the tensors at byte 0, got its end`], // prettier-ignore
  ['a header beyond the end', fileOf('{}', 0, 3n), `${begins}, but a header of 3 bytes ends beyond its 10 bytes`], // prettier-ignore
  ['a huge header', fileOf('{}', 0, 100_000_001n), `${begins}, at most 100000000 bytes, got 100000001`], // prettier-ignore
  ['the largest length', fileOf('{}', 0, 2n ** 64n - 1n), `${begins}, at most 100000000 bytes, got 18446744073709552000`], // prettier-ignore
  ['a zip of PyTorch', latin1('PK\x03\x04\x00\x00\x08\x08\x00\x00'), `${begins}, at most 100000000 bytes, got 578712552184433500`], // prettier-ignore
  ['another text', fileOf('hello'), `${HEAD} have the object that lists the tensors at byte 0, got 'hello'`], // prettier-ignore
  ['a list', fileOf('[]'), `${HEAD} have the object that lists the tensors at byte 0, got '[]'`],
  ['half an object', fileOf('{"a"'), `${HEAD} have a ':' after the name 'a' at byte 4, got its end`], // prettier-ignore
  ['a comma too many', fileOf('{"__metadata__":{},}'), `${HEAD} have a name in the object that lists the tensors at byte 19, got '}'`], // prettier-ignore
  ['no comma', fileOf('{"__metadata__":{} "a":{}}'), `${HEAD} have a ',' or the end of the object that lists the tensors at byte 19, got '"a":{}}'`], // prettier-ignore
  ['something after it', fileOf('{} x'), `${HEAD} have nothing after its end at byte 3, got 'x'`],
  ['a byte 0 after it', fileOf('{}\0'), `${HEAD} have nothing after its end at byte 2, got '\0'`],
  ['a string without end', fileOf('{"abc\\"'), `${HEAD} have the end of the string that begins at byte 2, within 1048576 bytes, at byte 7, got its end`], // prettier-ignore
  ['a string of 2²⁰ + 1 bytes', fileOf(`{"${'a'.repeat(2 ** 20)} ":1}`), `${HEAD} have the end of the string that begins at byte 2, within 1048576 bytes, at byte 1048578, got ' ":1}'`], // prettier-ignore
  ['100,001 tensors', fileOf(Object.fromEntries(Array.from({length: 100_001}, (_, i) => [i, described('F32', [0], 0, 0)]))), `${HEAD} have no more than 100000 names in the object that lists the tensors at byte 5688891, got '"100000"'`], // prettier-ignore
  ['a byte order mark', fileOf('\ufeff{}'), `${HEAD} have the object that lists the tensors at byte 0, got 'ï»¿{}'`], // prettier-ignore
  ['bad UTF-8', fileOf(latin1('{"a\xff":1}')), `${HEAD} be UTF-8, got other bytes from byte 2 on`],
  ['UTF-8 of half a character', fileOf(latin1('{"a\xc3":1}')), `${HEAD} be UTF-8, got other bytes from byte 2 on`], // prettier-ignore
  ['UTF-8 that is too long', fileOf(latin1('{"\xc0\xaf":1}')), `${HEAD} be UTF-8, got other bytes from byte 2 on`], // prettier-ignore
  ['an escaped half of a pair', fileOf('{"\\ud800":1}'), `${HEAD} be JSON, got the string '\\ud800'`], // prettier-ignore
  ['an escape that there is not', fileOf('{"\\x41":1}'), `${HEAD} be JSON, got the string '\\x41'`],
  ['a line break in a string', fileOf('{"a\nb":1}'), `${HEAD} be JSON, got the string 'a\nb'`],
  ['one name twice', fileOf(twice, 8), `${HEAD} not name 'a' twice`],
  ['one name twice, once escaped', fileOf(twice.replace(',"a"', ',"\\u0061"'), 8), `${HEAD} not name 'a' twice`], // prettier-ignore
  ['one field twice', fileOf('{"a":{"dtype":"F32","dtype":"F16"}}'), `${HEAD} not name 'dtype' twice`], // prettier-ignore
  ['metadata that is no text', fileOf('{"__metadata__":{"a":1}}'), `${HEAD} have a string in __metadata__ at byte 21, got '1}}'`], // prettier-ignore
  ['a tensor that is a number', fileOf('{"a":1}'), `${HEAD} have the object that describes tensor 'a' at byte 5, got '1}'`], // prettier-ignore
  ['an unknown field', fileOf('{"a":{"__proto__":{"dtype":"F32"}}}'), `${HEAD} say dtype, shape and data_offsets of tensor 'a', got '__proto__'`], // prettier-ignore
  ['no dtype', fileOf({a: {shape: [1], data_offsets: [0, 4]}}, 4), `${HEAD} say dtype, shape and two data_offsets of tensor 'a'`], // prettier-ignore
  ['no shape', fileOf({a: {dtype: 'F32', data_offsets: [0, 4]}}, 4), `${HEAD} say dtype, shape and two data_offsets of tensor 'a'`], // prettier-ignore
  ['one offset', fileOf({a: {dtype: 'F32', shape: [1], data_offsets: [0]}}, 4), `${HEAD} say dtype, shape and two data_offsets of tensor 'a'`], // prettier-ignore
  ['three offsets', fileOf({a: {dtype: 'F32', shape: [1], data_offsets: [0, 4, 8]}}, 4), `${HEAD} have no more than 2 numbers as the data_offsets of tensor 'a', two whole numbers, at byte 52, got '8]}}'`], // prettier-ignore
  ['a dtype that is a number', fileOf('{"a":{"dtype":4}}'), `${HEAD} have the dtype of tensor 'a', a string, at byte 14, got '4}}'`], // prettier-ignore
  ['an unknown dtype', fileOf(a([1], 0, 4, 'F31'), 4), `${unknown}, got 'F31'`],
  ['a dtype in small letters', fileOf(a([1], 0, 4, 'f32'), 4), `${unknown}, got 'f32'`],
  ['a dtype named __proto__', fileOf(a([1], 0, 4, '__proto__'), 4), `${unknown}, got '__proto__'`],
  ['a shape that is a number', fileOf(a(1, 0, 4), 4), `${HEAD} have the shape of tensor 'a', whole numbers, at byte 28, got '1,"data_'`], // prettier-ignore
  ['a negative size', fileOf(a([-1], 0, 4), 4), `${HEAD} have the shape of tensor 'a', whole numbers, at byte 29, got '-1],"dat'`], // prettier-ignore
  ['a broken size', fileOf(a([1.5], 0, 4), 4), `${HEAD} have the shape of tensor 'a', whole numbers, at byte 30, got '.5],"dat'`], // prettier-ignore
  ['a size with an exponent', fileOf(JSON.stringify(a([7], 0, 4)).replace('7', '1e0'), 4), `${HEAD} have the shape of tensor 'a', whole numbers, at byte 30, got 'e0],"dat'`], // prettier-ignore
  ['a size with a leading zero', fileOf(JSON.stringify(a([7], 0, 4)).replace('7', '01'), 4), `${HEAD} have the shape of tensor 'a', whole numbers, at byte 29, got '01],"dat'`], // prettier-ignore
  ['a size beyond 2⁵³', fileOf(JSON.stringify(a([7], 0, 4)).replace('7', '9007199254740992'), 4), `${HEAD} have the shape of tensor 'a', whole numbers, at byte 29, got '90071992'`], // prettier-ignore
  ['a size of many digits', fileOf(JSON.stringify(a([7], 0, 4)).replace('7', '1'.repeat(9999)), 4), `${HEAD} have the shape of tensor 'a', whole numbers, at byte 29, got '11111111'`], // prettier-ignore
  ['a size in words', fileOf(a(['1'], 0, 4), 4), `${HEAD} have the shape of tensor 'a', whole numbers, at byte 29, got '"1"],"da'`], // prettier-ignore
  ['lists within a shape', fileOf(a([[1]], 0, 4), 4), `${HEAD} have the shape of tensor 'a', whole numbers, at byte 29, got '[1]],"da'`], // prettier-ignore
  ['65 axes', fileOf(a(Array(65).fill(1), 0, 4), 4), `${HEAD} have no more than 64 numbers as the shape of tensor 'a', whole numbers, at byte 157, got '1],"data'`], // prettier-ignore
  ['sizes whose product overflows', fileOf(a([2 ** 27, 2 ** 27, 2 ** 27], 0, 4), 4), "tensor 'a' of the file must have a size that can be counted, got [134217728, 134217728, 134217728]"], // prettier-ignore
  ['a product of 2⁶⁴, which is 0 in 64 bits', fileOf(a([2 ** 32, 2 ** 32], 0, 0)), "tensor 'a' of the file must have a size that can be counted, got [4294967296, 4294967296]"], // prettier-ignore
  ['offsets in the wrong order', fileOf(a([1], 4, 0), 4), "tensor 'a' of the file must have its data_offsets in order, got [4, 0]"], // prettier-ignore
  ['a tensor beyond the end', fileOf(a([2], 0, 8), 7), "tensor 'a' of the file must end within the 7 bytes of data, got [0, 8]"], // prettier-ignore
  ['a shape larger than its bytes', fileOf(a([2], 0, 4), 4), "tensor 'a' of the file must take 8 bytes as F32 [2], got [0, 4]"], // prettier-ignore
  ['a shape smaller than its bytes', fileOf(a([3, 0], 0, 4), 4), "tensor 'a' of the file must take 0 bytes as F32 [3, 0], got [0, 4]"], // prettier-ignore
  ['a dtype smaller than its bytes', fileOf(a([1], 0, 4, 'F16'), 4), "tensor 'a' of the file must take 2 bytes as F16 [1], got [0, 4]"], // prettier-ignore
  ['overlapping tensors', fileOf(two([0, 8], [4, 8], [2, 1]), 8), "tensor 'b' of the file must not overlap with 'a', which ends at 8, got [4, 8]"], // prettier-ignore
  ['one place for two tensors', fileOf(two([0, 4], [0, 4]), 4), "tensor 'b' of the file must not overlap with 'a', which ends at 4, got [0, 4]"], // prettier-ignore
  ['a hole at the beginning', fileOf(a([1], 4, 8), 8), "tensor 'a' of the file must begin at 0, without a hole before it, got [4, 8]"], // prettier-ignore
  ['a hole between tensors', fileOf(two([0, 4], [8, 12]), 12), "tensor 'b' of the file must begin at 4, without a hole before it, got [8, 12]"], // prettier-ignore
  ['bytes after the last tensor', fileOf(a([1], 0, 4), 5), 'the tensors of the file must take all bytes of data, got 5 and they take 4'], // prettier-ignore
  ['data without tensors', fileOf('{}', 1), 'the tensors of the file must take all bytes of data, got 1 and they take 0'], // prettier-ignore
];

test.each(BAD)('%s is refused in words', (_, file, sentence) => {
  expect(() => read(file)).toThrow(new RangeError(`[fn] ${sentence}.`));
});

test('the table of docs/pytorch.md says what these are refused with', () => {
  const guide = readFileSync(join(__dirname, '../../docs/pytorch.md'), 'utf8');
  const rows = [...guide.matchAll(/^\| (.+?) +\| `(.+)\.` +\|$/gm)];
  expect(rows.length).toBeGreaterThan(10);
  for (const [, name, sentence] of rows) {
    const row = BAD.find(([bad]) => bad === name);
    expect([name, sentence]).toEqual([name, row?.[2]]);
  }
});
