/** Tables of options: each is absent or checked, and no other is let through. */
import {LARGEST_COUNT, checkSeed, wholeNumber} from '../../src/check/numbers';
import {anything, count, flag, number, oneOf, required, seed} from '../../src/check/option_kinds';
import {Option, readOptions} from '../../src/check/options';

/** What `option` makes of `value` under the name `look`. */
const one = (option: Option<unknown>, value?: unknown) =>
  readOptions('f', {look: option}, value === undefined ? {} : {look: value}).look;

const TABLE = {
  windowSize: anything(),
  look: count(0, 1),
  dropout: anything(),
  exact: anything(),
};
const read = (options: unknown) => readOptions('f', TABLE, options);

test('a flag is what is given, or the default', () => {
  expect(one(flag(false), true)).toBe(true);
  expect(one(flag(true), false)).toBe(false);
  expect(one(flag(true), null)).toBe(true);
  expect(one(flag(true))).toBe(true);
  expect(() => one(flag(true), 1)).toThrow(new TypeError('[f] look must be true or false, got 1.'));
});

test('a count is a whole number from the least to 2^24, at which float32 still counts', () => {
  expect(LARGEST_COUNT).toBe(2 ** 24);
  expect(Math.fround(LARGEST_COUNT - 1)).toBe(LARGEST_COUNT - 1);
  expect(one(count(0, 5), 0)).toBe(0);
  expect(one(count(1, 5), LARGEST_COUNT)).toBe(LARGEST_COUNT);
  expect(one(count(1, 5))).toBe(5);
  expect(one(count(1), null)).toBeNull();
  const rule = '[f] look must be a whole number from 1 to 16777216, got';
  expect(() => one(count(1, 5), 0)).toThrow(new RangeError(`${rule} 0.`));
  expect(() => one(count(1, 5), 2 ** 24 + 1)).toThrow(`${rule} 16777217.`);
  expect(() => one(count(1, 5), 1.5)).toThrow(`${rule} 1.5.`);
  expect(() => one(count(1, 5), '2')).toThrow(new TypeError(`${rule} '2'.`));
});

test('a number says its bounds', () => {
  const rule = '[f] look must be a finite number';
  expect(one(number('', {}), 2)).toBe(2);
  expect(() => one(number('', {from: 3}), 2)).toThrow(`${rule}, at least 3, got 2.`);
  expect(() => one(number('', {above: 2}), 2)).toThrow(`${rule}, greater than 2, got 2.`);
  expect(() => one(number('', {from: 0, below: 2}), 2)).toThrow(
    `${rule}, at least 0 and less than 2, got 2.`,
  );
  expect(one(number('', {from: 2}), 2)).toBe(2);
  expect(one(number('', {above: 0}))).toBeNull();
  expect(() => one(number('', {}), NaN)).toThrow(`${rule}, got NaN.`);
});

test('a number reaches as far as float32', () => {
  const largest = (2 - 2 ** -23) * 2 ** 127;
  expect(Math.fround(largest)).toBe(largest);
  expect(one(number('', {}), -largest)).toBe(-largest);
  expect(() => one(number('', {}), 3.5e38)).toThrow(
    '[f] look must be within the range of float32, got 3.5e+38.',
  );
});

test('one of several names', () => {
  const pick = oneOf(['auto', 'fast'], 'auto');
  expect(one(pick, 'fast')).toBe('fast');
  expect(one(pick)).toBe('auto');
  expect(() => one(pick, 'slow')).toThrow(
    new RangeError("[f] look must be one of 'auto', 'fast', got 'slow'."),
  );
  expect(() => one(pick, 1)).toThrow(TypeError);
});

test('what is required must be there, and null is not', () => {
  expect(one(required(count(1)), 2)).toBe(2);
  for (const absent of [undefined, null]) {
    const message = new TypeError(`[f] look is required, got ${absent}.`);
    expect(() => readOptions('f', {look: required(count(1))}, {look: absent})).toThrow(message);
  }
});

test('options of another realm or without prototype are options', () => {
  const foreign = Object.create(Object.create(null, {}));
  foreign.look = 2; // as an object of another realm has another Object.prototype
  expect(read(foreign).look).toBe(2);
  expect(read(Object.assign(Object.create(null), {look: 2})).look).toBe(2);
});

test('what is inherited is no option', () => {
  expect(readOptions('f', {toString: anything()}, {}).toString).toBeNull();
});

test('a getter is asked once, so that what was checked is what is used', () => {
  let asked = 0;
  const options = {
    get look() {
      return 2 - 4 * asked++;
    },
  };
  expect(read(options).look).toBe(2);
  expect(asked).toBe(1);
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
  expect(one(seed(), 3)).toBe(3);
  expect(() => one(seed(), -1)).toThrow('seed must be a whole number from 0 to 4294967295');
});
