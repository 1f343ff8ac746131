/** The golden cases of verify(): what they cover, and that they are right. */
import {RESULTS, errorOf} from '../../src/verify/golden';
import {GOLDEN} from '../../src/verify/golden.generated';
import {Generator, inputsOf} from '../../src/verify/inputs';
import {FLOAT16, FLOAT32, gradientTolerance, outputTolerance} from '../../src/verify/tolerance';
import {NaiveConfig, naiveLocalAttention, naiveLocalAttentionGrad} from '../support/naive';
import * as support from '../support/tolerance';

test('between them are all modes, each in odd sizes', () => {
  const configs = GOLDEN.map(({config}) => config);
  const some = (holds: (config: (typeof configs)[0]) => unknown) => configs.filter(holds).length;
  expect(some((c) => c.causal && !c.exactWindowsize)).toBeGreaterThan(0);
  expect(some((c) => c.causal && c.exactWindowsize)).toBeGreaterThan(0);
  expect(some((c) => !c.causal && !c.exactWindowsize)).toBeGreaterThan(0);
  expect(some((c) => !c.causal && c.exactWindowsize)).toBeGreaterThan(0);
  expect(some((c) => c.useRotaryPosEmb === false)).toBeGreaterThan(0);
  expect(some((c) => c.useXpos && c.causal)).toBeGreaterThan(0);
  expect(some((c) => c.useXpos && !c.causal)).toBeGreaterThan(0);
  expect(some((c) => c.sharedQk)).toBeGreaterThan(0);
  const lengths = GOLDEN.map(({shape, config}) => shape[2] / config.windowSize);
  expect(lengths.some((windows) => windows < 1)).toBe(true);
  expect(lengths.some((windows) => windows % 1 > 0)).toBe(true);
  expect(GOLDEN.filter(({mask}) => mask).length).toBeGreaterThan(1);
  expect(GOLDEN.filter(({bias}) => bias).length).toBeGreaterThan(1);
});

test.each(GOLDEN.map((c, seed) => [c.name, c, seed] as const))(
  'the loops in float64 answer alike: %s',
  (_, c, seed) => {
    const generator = new Generator(seed);
    const {q, k, v, dout, bias, mask} = inputsOf(c, generator);
    const naive = {mask: mask ?? undefined, attnBias: bias ?? undefined};
    const config = c.config as NaiveConfig;
    const answer = {
      out: naiveLocalAttention(q, k, v, config, naive),
      ...naiveLocalAttentionGrad(q, k, v, config, naive, dout),
    };
    expect(c.results).toHaveLength(bias ? 5 : 4);
    for (const [at, want] of c.results.entries()) {
      const got = answer[RESULTS[at] as keyof typeof answer]!;
      expect(errorOf(got.data, want, generator)).toBeLessThan(2 ** -23); // stored in 24 bits
    }
  },
);

test('two errors that cancel in the sum are seen in their places', () => {
  const [c] = GOLDEN;
  const drawn = () => {
    const generator = new Generator(0);
    return {generator, ...inputsOf(c, generator)};
  };
  const {q, k, v, mask, generator} = drawn();
  const {data} = naiveLocalAttention(q, k, v, c.config as NaiveConfig, {mask: mask!});
  const place = generator.below(data.length); // the first that is compared
  for (const sign of [1, -1]) {
    const got = Float64Array.from(data);
    got[place] += 0.1;
    got[(place + 1) % got.length] += 0.1 * sign;
    expect(errorOf(got, c.results[0], drawn().generator)).toBeGreaterThan(0.2);
  }
});

test('tolerances are those of the tests', () => {
  for (const [seed, c] of GOLDEN.entries()) {
    if (c.config.useXpos && !c.config.causal) continue; // there it is counted by test/support/truth.ts
    const inputs = inputsOf(c, new Generator(seed));
    const d = c.shape[3];
    const products = support.largestProduct(inputs.q, inputs.k, c.config.sharedQk ?? false);
    const largestScore = products / Math.sqrt(d) + +(c.bias ?? false);
    const sizes = {d, context: inputs.context, largestScore};
    const tolerance = outputTolerance(c, inputs, FLOAT32);
    expect(tolerance).toBeCloseTo(support.outputTolerance(sizes), 12);
    expect(gradientTolerance(tolerance)).toBeCloseTo(support.gradientTolerance(sizes), 12);
    expect(outputTolerance(c, inputs, FLOAT16) / tolerance).toBe(2 ** 13);
  }
});
