/** PyTorch's numbers and the naive loops -> every fused kernel, asked for by name. */
import * as tf from '@tensorflow/tfjs';

import {LocalAttentionArgs, localAttention} from '../../src';
import type {LocalAttentionCall} from '../../src/attention/problem';
import {CASES, Case} from '../support/cases';
import {boolTensor, expectClose, living, tensor} from '../support/close';
import {LocalAttentionFixture, localAttentionFixtures} from '../support/fixtures';
import {
  CaseInputs,
  configOf,
  gradientTolerances,
  inputsOf,
  sizesOf,
  tensorsOf,
} from '../support/inputs';
import {Values, naiveLocalAttention, naiveLocalAttentionGrad} from '../support/naive';
import {PROGRAMS, RELAXED_RUNS, useAnyProgram, useProgram} from '../support/programs';
import {gradientTolerance, largest, largestProduct, outputTolerance} from '../support/tolerance';

/** What may run besides the two fused kernels: views, and zeros for the gradient of logsumexp. */
const VIEWS = ['Identity', 'Reshape', 'ZerosLike'];

describe.each(PROGRAMS.map((program) => [program.name, program] as const))(
  '%s',
  (name, program) => {
    beforeAll(() => useProgram(program));
    beforeAll(() => jest.spyOn(console, 'warn').mockImplementation()); // one case is deprecated
    afterAll(useAnyProgram);

    const worst = {cases: 0, fused: 0, output: 0, budget: 0}; // the budget: a part of the tolerance
    afterAll(() => {
      const [out, budget] = [worst.output.toExponential(1), (100 * worst.budget).toFixed(0)];
      console.log(
        `${name}: ${worst.cases} cases, ${worst.fused} of them not empty; largest error ${out}; ` +
          `gradients at most ${budget}% of a tolerance`,
      );
    });

    test.each(references())(
      'the kernels give the numbers of the reference: %s',
      async (_, make) => {
        const before = living();
        const reference = make();
        const {inputs, dout, dispose} = reference;
        poison(reference);
        const profile = await tf.profile(() => run(reference, inputs, dout));
        const ran = [...profile.kernelNames].filter((kernel) => !VIEWS.includes(kernel));
        const [value, ...grads] = profile.result as tf.Tensor[];

        if (value.size > 0) {
          worst.fused++;
          expect(ran).toEqual(['LocalAttention', 'LocalAttentionGrad']);
        }
        const {out, tolerance, gradients, exact} = reference;
        worst.output = Math.max(worst.output, await compare('out', value, out, tolerance, exact));
        for (const {name, at, want, tolerance} of gradients) {
          const error = await compare(name, grads[at], want, tolerance, exact);
          worst.budget = Math.max(worst.budget, error / tolerance);
        }
        worst.cases++;
        tf.dispose([...inputs, ...dispose, dout, value, ...grads]);
        expect(living()).toEqual(before);
      },
    );

    test('a flag that names no program is an error, and so is a program that is not there', () => {
      const q = tf.zeros([2, 4]);
      const attend = () => localAttention(q, q, q, {windowSize: 2, implementation: 'fused'});
      const refused = (flag: string, value: string, message: string) => {
        const kept = tf.env().get(flag);
        tf.env().set(flag, value);
        expect(attend).toThrow(message);
        tf.env().set(flag, kept);
      };
      if (program.backend === 'cpu') {
        refused('LOCAL_ATTENTION_CPU', 'jit', "must be 'auto', 'wasm' or 'loops', got 'jit'");
      }
      if (program.cpu === 'wasm') {
        const flag = 'LOCAL_ATTENTION_WASM_BUILD';
        refused(flag, 'avx', "must be 'auto', 'relaxed' or 'simd', got 'avx'");
        if (!RELAXED_RUNS) refused(flag, 'relaxed', "is 'relaxed', which this engine does not run");
      }
      tf.dispose(q);
    });

    async function compare(
      name: string,
      got: tf.Tensor,
      want: Values,
      tolerance: number,
      exact: boolean,
    ) {
      const error = await expectClose(name, got, want, tolerance);
      worst.budget = Math.max(worst.budget, error / tolerance);
      if (!exact || (name !== 'out' && name !== 'dv')) return error;
      // exactly 0 for the query that sees nothing, and for the key that nobody sees
      const values = await got.data();
      const astray = values.findIndex((value, at) => want.data[at] === 0 && value !== 0);
      if (astray >= 0) throw new Error(`${name} is ${values[astray]} at ${astray} instead of 0`);
      return error;
    }
  },
);

/** A call, and what is wanted of it. */
interface Reference {
  inputs: tf.Tensor[];
  call: LocalAttentionCall;
  config: LocalAttentionArgs;
  dout: tf.Tensor;
  dispose: tf.Tensor[];
  out: Values;
  tolerance: number;
  /** Whether a 0 is one; the files of fixtures round. */
  exact: boolean;
  gradients: {name: string; at: number; want: Values; tolerance: number}[];
}

function run({call, config}: Reference, inputs: tf.Tensor[], dout: tf.Tensor): tf.Tensor[] {
  const attend = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, attnBias?: tf.Tensor) =>
    localAttention(q, k, v, {...config, implementation: 'fused'}, {...call, attnBias});
  const {value, grads} = tf.valueAndGrads(attend)(inputs, dout);
  return [value, ...grads];
}

/**
 * The same call on NaN, whose results are dropped: what the kernels then allocate, or keep between
 * calls, is full of NaN, and an element that nobody writes comes out as such.
 */
function poison(reference: Reference) {
  tf.tidy(() => {
    const spoilt = (x: tf.Tensor) => tf.fill(x.shape, NaN);
    run(reference, reference.inputs.map(spoilt), spoilt(reference.dout));
    for (const size of [...reference.inputs, reference.dout]) spoilt(size);
  });
}

type Named = [name: string, make: () => Reference];

function references(): Named[] {
  return [
    ...CASES.map((c): Named => [c.name, () => ofCase(c)]),
    ...localAttentionFixtures().map((c): Named => [`PyTorch, ${c.name}`, () => ofFixture(c)]),
  ];
}

const truths = new Map<string, Pick<Reference, 'out' | 'gradients'>>();

/** The loops' answer, computed once for all programs. */
function truthOf(c: Case, values: CaseInputs) {
  const {q, k, v, dout, naive} = values;
  const compute = () => {
    const wanted = naiveLocalAttentionGrad(q, k, v, c.config, naive, dout);
    const out = naiveLocalAttention(q, k, v, c.config, naive);
    return {out, gradients: gradientTolerances(c, values, wanted)};
  };
  const truth = truths.get(c.name) ?? compute();
  truths.set(c.name, truth);
  return truth;
}

function ofCase(c: Case): Reference {
  const values = inputsOf(c);
  return {
    ...tensorsOf(c, values),
    ...truthOf(c, values),
    config: configOf(c),
    tolerance: outputTolerance(sizesOf(c, values)),
    exact: true,
  };
}

function ofFixture(c: LocalAttentionFixture): Reference {
  const mask = c.mask ? boolTensor(c.mask) : null;
  const {windowSize, lookBackward = 1, causal = false, sharedQk, scale} = c.config;
  const {lookForward = causal ? 0 : 1} = c.config;
  const d = c.q.shape[c.q.shape.length - 1];
  const products = Math.abs(scale ?? d ** -0.5) * largestProduct(c.q, c.k, sharedQk);
  const sizes = {
    d,
    context: (1 + lookBackward + lookForward) * (c.windowSize ?? windowSize),
    largestScore: products + largest(c.attnBias?.data ?? []),
  };
  const wanted = {dq: c.dq, dk: c.dk, dv: c.dv, ...(c.dAttnBias && {dAttnBias: c.dAttnBias})};
  const tolerance = gradientTolerance(sizes);
  return {
    inputs: [c.q, c.k, c.v, ...(c.attnBias ? [c.attnBias] : [])].map(tensor),
    call: {mask, windowSize: c.windowSize},
    config: c.config as LocalAttentionArgs,
    dout: tensor(c.dout),
    dispose: mask ? [mask] : [],
    out: c.out,
    tolerance: outputTolerance(sizes),
    exact: false,
    gradients: Object.entries(wanted).map(([name, want], at) => ({name, at, want, tolerance})),
  };
}
