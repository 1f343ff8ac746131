/** naive.ts (float64 loops) -> every implementation, value and all gradients, on every backend. */
import * as tf from '@tensorflow/tfjs';

import type {Implementation} from '../../src';
import {CASES, Case} from '../support/cases';
import {expectClose, living, relativeError} from '../support/close';
import {
  FUSED,
  IMPLEMENTATIONS,
  isBesideComposite,
  sampled,
  useAnyBuild,
  useImplementation,
} from '../support/implementations';
import {isHeld} from '../support/float16';
import {withHeadsOfNaN} from '../support/guard';
import {tensorsOf} from '../support/inputs';
import {Given, run} from '../support/run';
import {Wanted, truthOf} from '../support/truth';

/** What may run besides the two fused kernels: views, and zeros for what has no gradient. */
const VIEWS = ['Identity', 'Reshape', 'ZerosLike'];

const HELD = CASES.filter(isHeld);

describe.each(IMPLEMENTATIONS)('%s', (name, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  const fused = one.implementation === 'fused';
  const cases = sampled(one, HELD);

  const worst = {output: 0, gradient: 0, budget: 0}; // the budget: a part of the tolerance
  afterAll(() => {
    const [out, grad] = [worst.output.toExponential(1), worst.gradient.toExponential(1)];
    console.log(
      `${name}: ${cases.length} cases, largest error ${out}, of gradients ${grad}; ` +
        `at most ${(100 * worst.budget).toFixed(0)}% of a tolerance`,
    );
  });

  test.each(cases.map((c) => [c.name, c] as const))(
    'gives the numbers and gradients of the loops: %s',
    async (_, c) => {
      const before = living();
      const {values, wanted} = truthOf(c);
      const given = tensorsOf(c, values);
      poison(c, given, one.implementation);
      const profile = await tf.profile(() => run(c, given, one.implementation));
      const ran = [...profile.kernelNames].filter((kernel) => !VIEWS.includes(kernel));
      const results = profile.result as tf.Tensor[];
      if (fused && results[0].size > 0) {
        const all = ['LocalAttention', 'LocalAttentionGrad'];
        const written = all.filter((kernel) => tf.getKernel(kernel, one.backend));
        // as long as there is no kernel for the gradient, it is the composite's
        expect(written.length === 2 ? ran : ran.slice(0, 1)).toEqual(written);
      }
      const composed = isBesideComposite(one) ? run(c, given, 'composite') : null;
      for (const [at, want] of wanted.entries()) {
        const apart = composed ? 2 * (await relativeError(composed[at], want.want)) : 0;
        await compare(c, want, results[at], apart);
      }
      tf.dispose([given.inputs, given.dispose, given.dout, results, composed ?? []]);
      expect(living()).toEqual(before);
    },
  );

  async function compare(c: Case, wanted: Wanted, got: tf.Tensor, apart: number) {
    const {name, want, tolerance} = wanted;
    const error = await expectClose(name, got, want, tolerance + apart);
    const kind = name === 'out' ? 'output' : 'gradient';
    worst[kind] = Math.max(worst[kind], error);
    if (error > 0) worst.budget = Math.max(worst.budget, error / (tolerance + apart));
    // what sees nothing, or one key alone, and what nobody sees; where weights are dropped, the
    // fused kernels' dO · O is no sum of the products in dP
    if (c.dropout && (name === 'dq' || name === 'dk' || name === 'dAttnBias')) return;
    const values = await got.data();
    const astray = values.findIndex((value, at) => want.data[at] === 0 && value !== 0);
    if (astray >= 0) throw new Error(`${name} is ${values[astray]} at ${astray} instead of 0`);
  }
});

describe.each(FUSED)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);

  const WITH_TOKENS = HELD.filter(({shape}) => !shape.includes(0));
  test.each(sampled(one, WITH_TOKENS).map((c) => [c.name, c] as const))(
    'heads of NaN change nothing in those before them: %s',
    async (_, c) => {
      const {values, wanted} = truthOf(c);
      const given = tensorsOf(c, withHeadsOfNaN(values));
      const results = run(c, given, one.implementation);
      for (const [at, {name, want, tolerance}] of wanted.entries()) {
        if (name === 'dAttnBias') continue; // a sum over all heads
        const size = want.data.length;
        const before = tf.tidy(() => tf.slice(tf.reshape(results[at], [-1]), 0, size));
        await expectClose(name, before, {...want, shape: [size]}, 3 * tolerance);
        before.dispose();
      }
      tf.dispose([given.inputs, given.dispose, given.dout, results]);
    },
  );
});

/**
 * The same call on NaN, whose results are dropped: what is then allocated, or kept between calls,
 * is full of NaN, and an element that nobody writes comes out as such.
 */
function poison(c: Case, given: Given, implementation: Implementation) {
  tf.tidy(() => {
    const spoilt = (x: tf.Tensor) => tf.fill(x.shape, NaN);
    const inputs = given.inputs.map(spoilt);
    run(c, {...given, inputs, dout: spoilt(given.dout)}, implementation);
    for (const size of [...given.inputs, given.dout]) spoilt(size);
  });
}
