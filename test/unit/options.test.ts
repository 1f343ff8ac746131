/** The reader of options: one rule at a time, absent or checked. */
import {LARGEST_COUNT, OptionReader, checkSeed, wholeNumber} from '../../src/check/options';

const KNOWN = ['windowSize', 'look', 'dropout', 'exact'];
const read = (options: unknown) => new OptionReader('f', options, KNOWN);

test('a flag is what is given, or the default', () => {
  expect(read({exact: true}).flag('exact', false)).toBe(true);
  expect(read({exact: false}).flag('exact', true)).toBe(false);
  expect(read({exact: null}).flag('exact', true)).toBe(true);
  expect(read({}).flag('exact', true)).toBe(true);
});

test('a count is a whole number from the least to 2^24, at which float32 still counts', () => {
  expect(LARGEST_COUNT).toBe(2 ** 24);
  expect(Math.fround(LARGEST_COUNT - 1)).toBe(LARGEST_COUNT - 1);
  expect(read({look: 0}).count('look', 0, 5)).toBe(0);
  expect(read({look: LARGEST_COUNT}).count('look', 1, 5)).toBe(LARGEST_COUNT);
  expect(read({}).count('look', 1, 5)).toBe(5);
  expect(read({look: null}).count('look', 1, null)).toBeNull();
  const rule = '[f] look must be a whole number from 1 to 16777216, got';
  expect(() => read({look: 0}).count('look', 1, 5)).toThrow(new RangeError(`${rule} 0.`));
  expect(() => read({look: 2 ** 24 + 1}).count('look', 1, 5)).toThrow(`${rule} 16777217.`);
  expect(() => read({look: '2'}).count('look', 1, 5)).toThrow(new TypeError(`${rule} '2'.`));
});

test('a number says its bounds', () => {
  const reader = read({dropout: 2});
  const rule = '[f] dropout must be a finite number';
  expect(reader.number('dropout', 0)).toBe(2);
  expect(() => reader.number('dropout', 0, {from: 3})).toThrow(`${rule}, at least 3, got 2.`);
  expect(() => reader.number('dropout', 0, {above: 2})).toThrow(`${rule}, greater than 2, got 2.`);
  expect(() => reader.number('dropout', 0, {from: 0, below: 2})).toThrow(
    `${rule}, at least 0 and less than 2, got 2.`,
  );
  expect(reader.number('dropout', 0, {from: 2})).toBe(2);
  expect(read({}).number('dropout', null, {above: 0})).toBeNull();
});

test('a number reaches as far as float32', () => {
  const largest = (2 - 2 ** -23) * 2 ** 127;
  expect(Math.fround(largest)).toBe(largest);
  expect(read({dropout: -largest}).number('dropout', 0)).toBe(-largest);
  expect(() => read({dropout: 3.5e38}).number('dropout', 0)).toThrow(
    '[f] dropout must be within the range of float32, got 3.5e+38.',
  );
});

test('one of several names', () => {
  const pick = (options: object) => read(options).oneOf('look', ['auto', 'fast'], 'auto');
  expect(pick({look: 'fast'})).toBe('fast');
  expect(pick({})).toBe('auto');
  expect(() => pick({look: 'slow'})).toThrow(
    new RangeError("[f] look must be one of 'auto', 'fast', got 'slow'."),
  );
  expect(() => pick({look: 1})).toThrow(TypeError);
});

test('has and required tell the absent, of which null is one', () => {
  const reader = read({look: null, exact: false});
  expect([reader.has('look'), reader.has('windowSize'), reader.has('exact')]).toEqual([
    false,
    false,
    true,
  ]);
  expect(() => reader.required('look')).toThrow('[f] look is required, got null.');
  expect(() => reader.required('exact')).not.toThrow();
});

test('options of another realm or without prototype are options', () => {
  const foreign = Object.create(Object.create(null, {}));
  foreign.look = 2; // as an object of another realm has another Object.prototype
  expect(read(foreign).count('look', 0, 1)).toBe(2);
  expect(read(Object.assign(Object.create(null), {look: 2})).count('look', 0, 1)).toBe(2);
});

test('what is inherited is no option', () => {
  const reader = read({});
  expect(reader.has('toString')).toBe(false);
});

test('the options are copied, so that later changes are not seen', () => {
  const options = {look: 2};
  const reader = read(options);
  options.look = -1;
  expect(reader.count('look', 0, 1)).toBe(2);
});

test.each([
  ['WINDOWSIZE', 'windowSize'],
  ['window_size', 'windowSize'],
  ['window-size', 'windowSize'],
  ['windwoSize', 'windowSize'],
  ['windowSizes', 'windowSize'],
  ['window', 'windowSize'],
  ['dropouts', 'dropout'],
  ['attnDropout', 'dropout'],
  ['exactWindow', 'exact'],
])('%s is close enough to suggest %s', (name, meant) => {
  expect(() => read({[name]: 1})).toThrow(
    `[f] unknown option '${name}' (did you mean '${meant}'?).`,
  );
});

test.each(['temperature', 'gamma', 'q', ''])('%p is close to none: all are listed', (name) => {
  const all = 'windowSize, look, dropout, exact';
  const list = `[f] unknown option '${name}' (known are ${all}).`;
  expect(() => read({[name]: 1})).toThrow(list);
});

test('of a name of a million letters the first eighty are shown, and compared', () => {
  const many = 'x'.repeat(1e6);
  expect(() => read({[`windowSize${many}`]: 1})).toThrow(
    `[f] unknown option 'windowSize${'x'.repeat(68)}… (did you mean 'windowSize'?).`,
  );
  expect(() => read({[`${many}windowSize`]: 1})).toThrow(
    `[f] unknown option '${'x'.repeat(78)}… (known are windowSize, look, dropout, exact).`,
  );
});

test('an unknown option is refused even where it is undefined', () => {
  expect(() => read({looks: undefined})).toThrow("did you mean 'look'?");
});

test('wholeNumber takes negative numbers where they are allowed', () => {
  expect(wholeNumber('f', 'offset', -3, -4)).toBe(-3);
  expect(() => wholeNumber('f', 'offset', -5, -4)).toThrow(
    '[f] offset must be a whole number from -4 to 16777216, got -5.',
  );
});

test('a seed is any number of 32 bits', () => {
  expect([0, 1, 0xffffffff].map((seed) => checkSeed('f', seed))).toEqual([0, 1, 0xffffffff]);
  expect(() => checkSeed('f', 2 ** 32)).toThrow(RangeError);
  expect(() => checkSeed('f', 1n)).toThrow(TypeError);
});
