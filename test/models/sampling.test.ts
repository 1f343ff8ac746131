/** The choice of a token by its logits. */
import {readOptions} from '../../src/check/options';
import {randomNumbers} from '../../models/random_numbers';
import {SAMPLING, sampler} from '../../models/sampling';
import {generator} from '../support/inputs';

type Options = Partial<Record<keyof typeof SAMPLING, number>>;

const choose = (options: Options) => sampler('test', readOptions('test', SAMPLING, options));

/** How often each token is drawn. */
function counts(logits: number[], options: Options, draws: number): number[] {
  const chooser = choose({seed: 3, ...options});
  const drawn = new Array(logits.length).fill(0);
  for (let i = 0; i < draws; i++) drawn[chooser(Float32Array.from(logits))]++;
  return drawn;
}

/** The tokens that are ever drawn; of all that can be, none is too unlikely for as many draws. */
function drawable(logits: number[], options: Options, draws = 4000): number[] {
  return counts(logits, options, draws).flatMap((count, token) => (count > 0 ? [token] : []));
}

const softmax = (logits: number[], temperature = 1) => {
  const weights = logits.map((logit) => Math.exp((logit - Math.max(...logits)) / temperature));
  const all = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / all);
};

/** Some logits, within ±1, of V tokens. */
const random = (size: number, seed: number) => {
  const next = generator(seed);
  return Array.from({length: size}, () => Math.fround(2 * next() - 1));
};

test.each([1, 0.5, 3])('draws follow softmax(logits / temperature %d)', (temperature) => {
  const logits = [0.5, -1, 2, 0.1, 1];
  const draws = 20_000;
  const want = softmax(logits, temperature);
  counts(logits, {temperature}, draws).forEach((count, token) => {
    const p = want[token];
    expect(Math.abs(count / draws - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / draws));
  });
});

test('temperature 0 takes the likeliest token, of equal ones the first, and a small one the likeliest', () => {
  expect(drawable([1, 3, 3, -2], {temperature: 0})).toEqual([1]);
  expect(drawable([1, 3, 2, -2], {temperature: 1e-30})).toEqual([1]);
  expect(drawable([-3e38, 3e38, 0], {temperature: 1e-300})).toEqual([1]);
});

test('without filters every token can be drawn', () => {
  expect(drawable(random(23, 1), {})).toHaveLength(23);
});

test.each([1, 2, 5, 23, 24])('topK %d leaves that many of 23 tokens, the likeliest', (topK) => {
  const logits = random(23, 2);
  const ranked = [...logits.keys()].sort((a, b) => logits[b] - logits[a]);
  expect(drawable(logits, {topK})).toEqual(ranked.slice(0, topK).sort((a, b) => a - b));
});

test('of tokens that tie at the edge of topK the first stay', () => {
  expect(drawable([1, 2, 1, 3, 1, 1], {topK: 4})).toEqual([0, 1, 2, 3]);
  expect(drawable([0, 0, 0], {topK: 2})).toEqual([0, 1]);
  expect(drawable([1, 1, 1, 3], {topK: 2})).toEqual([0, 3]);
});

test.each([
  // in doubles 1 − 0.9 is 0.09999999999999998
  [0.9, 1, 1],
  [0.9, 10, 1],
  [0.9, 11, 1],
  [0.9, 20, 1],
  [0.9, 21, 2],
  [0.5, 11, 5],
  [0, 11, 11],
  [1, 11, 1],
])(
  'filterThres %d of %d tokens leaves %d, as the original but never none',
  (filterThres, size, left) => {
    // prettier-ignore
    expect(drawable(random(size, 3), {filterThres})).toHaveLength(left);
  },
);

test('topP keeps the fewest tokens whose probability reaches it, at any temperature', () => {
  const next = generator(4);
  for (let round = 0; round < 200; round++) {
    const size = 1 + Math.floor(12 * next());
    const logits = random(size, 100 + round);
    const [topP, temperature] = [next(), 0.5 + 2 * next()];
    const p = softmax(logits, temperature);
    const ranked = [...p.keys()].sort((a, b) => p[b] - p[a]);
    const sums = ranked.map((_, i) => ranked.slice(0, i + 1).reduce((s, t) => s + p[t], 0));
    if (sums.some((sum) => Math.abs(sum - topP) < 1e-9)) continue; // a matter of rounding
    const fewest = ranked.slice(0, sums.findIndex((sum) => sum >= topP) + 1 || size);
    expect(drawable(logits, {topP, temperature})).toEqual(fewest.sort((a, b) => a - b));
  }
});

test('topP at its edges: 1 keeps all, next to nothing keeps the likeliest, ties keep the first', () => {
  expect(drawable(random(9, 5), {topP: 1})).toHaveLength(9);
  expect(drawable([1, 5, 2], {topP: 1e-12})).toEqual([1]);
  expect(drawable([0, 0, 0, 0], {topP: 0.5})).toEqual([0, 1]);
  expect(drawable([0, 0, 0, 0], {topP: 0.51})).toEqual([0, 1, 2]);
});

test('filters add up: topP counts the probability among what topK and filterThres leave', () => {
  const logits = [0, 0, 0, 0, 0, 0, 0, 0];
  expect(drawable(logits, {topK: 4, topP: 0.5})).toEqual([0, 1]);
  expect(drawable(logits, {topK: 6, filterThres: 0.5})).toEqual([0, 1, 2, 3]);
  expect(drawable(logits, {topK: 3, filterThres: 0.5})).toEqual([0, 1, 2]);
});

test('what is left keeps its proportions', () => {
  const draws = 20_000;
  const [none, first, second] = counts([0, Math.log(6), Math.log(2)], {topK: 2}, draws);
  expect(none).toBe(0);
  expect(first + second).toBe(draws);
  expect(Math.abs(first / draws - 0.75)).toBeLessThan(4 * Math.sqrt(0.1875 / draws));
});

test.each([{}, {temperature: 0}, {topK: 1}, {topP: 0.3}, {filterThres: 0.9}])(
  'one token alone is always it: %j',
  (options) => expect(drawable([-7], options, 10)).toEqual([0]),
);

test('the same seed draws the same, another seed does not, and none draws anew each time', () => {
  const drawn = (options: Options) => {
    const chooser = choose(options);
    return Array.from({length: 40}, () => chooser(Float32Array.from(random(31, 6)))).join();
  };
  expect(drawn({seed: 5})).toBe(drawn({seed: 5}));
  expect(drawn({seed: 5})).not.toBe(drawn({seed: 6}));
  expect(drawn({})).not.toBe(drawn({}));
});

test('logits that differ by rounding draw the same, but where a draw is on an edge', () => {
  const [one, other] = [choose({seed: 7, topP: 0.9}), choose({seed: 7, topP: 0.9})];
  let same = 0;
  for (let i = 0; i < 1000; i++) {
    const logits = Float32Array.from(random(17, i));
    same += +(one(logits) === other(logits.map((logit) => logit * (1 + 2 ** -22))));
  }
  expect(same).toBeGreaterThan(990);
});

test.each([NaN, Infinity, -Infinity])('a logit of %d is an error that names its token', (logit) => {
  for (const options of [{}, {temperature: 0}, {topK: 2}, {topP: 0.5}]) {
    expect(() => choose(options)(Float32Array.of(1, 2, logit, 3))).toThrow(
      `[test] the model's logits must be finite, got ${logit} for token 2.`,
    );
  }
});

test.each([
  [{temperature: -1}, 'temperature must be a finite number, at least 0, got -1'],
  [{temperature: NaN}, 'temperature must be a finite number, at least 0, got NaN'],
  [{topK: 0}, 'topK must be a whole number from 1 to 16777216, got 0'],
  [{topP: 0}, 'topP must be a finite number, greater than 0 and at most 1, got 0'],
  [{topP: 1.1}, 'topP must be a finite number, greater than 0 and at most 1, got 1.1'],
  [{filterThres: -0.1}, 'filterThres must be a finite number, at least 0 and at most 1, got -0.1'],
  [{filterThres: 2}, 'filterThres must be a finite number, at least 0 and at most 1, got 2'],
  [{seed: 0.5}, 'seed must be a whole number from 0 to 4294967295, got 0.5'],
  [{topk: 3}, "unknown option 'topk' (did you mean 'topK'?)"],
])('%j is refused in words', (options, sentence) => {
  expect(() => choose(options as Options)).toThrow(`[test] ${sentence}`);
});

describe('the random numbers', () => {
  /** sfc32 by its definition, on integers without end. */
  function* defined(seed: number): Generator<number> {
    const low = (x: bigint) => BigInt.asUintN(32, x);
    let [a, b, c, counter] = [0n, BigInt(seed), 0n, 1n];
    for (let i = 0; ; i++) {
      const sum = low(a + b + counter);
      counter = low(counter + 1n);
      [a, b, c] = [b ^ (b >> 9n), low(c + (c << 3n)), low(((c << 21n) | (c >> 11n)) + sum)];
      if (i >= 12) yield Number(sum) / 2 ** 32;
    }
  }

  test.each([0, 1, 2 ** 31, 2 ** 32 - 1])('of seed %d are those of sfc32', (seed) => {
    const [next, want] = [randomNumbers(seed), defined(seed)];
    for (let i = 0; i < 1000; i++) expect(next()).toBe(want.next().value);
  });

  test('are uniform, and those of seeds that differ by one have nothing in common', () => {
    const bins = new Array(16).fill(0);
    let alike = 0;
    for (let seed = 0; seed < 4000; seed++) {
      const [x, y] = [randomNumbers(seed)(), randomNumbers(seed + 1)()];
      bins[Math.floor(16 * x)]++;
      alike += (x - 0.5) * (y - 0.5);
    }
    for (const bin of bins) expect(Math.abs(bin - 250)).toBeLessThan(4.5 * Math.sqrt(250));
    expect(Math.abs(alike / 4000)).toBeLessThan(4 / 12 / Math.sqrt(4000));
  });
});
