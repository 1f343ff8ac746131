/** The loops' answer to a case, and how far float32 may be from it; computed once for all. */
import type {Case} from './cases';
import {CaseInputs, geometry, inputsOf} from './inputs';
import {NaiveInputs, Values, naiveLocalAttention, naiveLocalAttentionGrad} from './naive';
import {EPSILON, gradientTolerance, largest, norms, outputTolerance} from './tolerance';

/** Which of the best keys of a row are moved ahead in turn. */
const RAISED = [0, 1, 2, 3, 'all'] as const;

export interface Wanted {
  name: 'out' | 'dq' | 'dk' | 'dv' | 'dAttnBias';
  want: Values;
  /** As parts of the largest |want|: the error of sums, and with that of scores the tolerance. */
  sums: number;
  tolerance: number;
}

export interface Truth {
  values: CaseInputs;
  /** The output, and the gradients in the order of the inputs. */
  wanted: Wanted[];
}

const truths = new WeakMap<Case, Truth>();

export function truthOf(c: Case): Truth {
  const truth = truths.get(c) ?? computed(c);
  truths.set(c, truth);
  return truth;
}

function computed(c: Case): Truth {
  const values = inputsOf(c);
  const wants = answer(c, values, values.naive);
  const moved = names(wants).map(() => 0);
  for (const raised of RAISED) {
    const other = answer(c, values, {...values.naive, rounding: {epsilon: EPSILON / 2, raised}});
    for (const [at, name] of names(wants).entries()) {
      const {data} = other[name]!;
      moved[at] = Math.max(moved[at], largest(wants[name]!.data.map((x, i) => x - data[i])));
    }
  }
  const sums = sumsOf(c, values);
  const wanted = names(wants).map((name, at) => {
    const want = wants[name]!;
    const size = largest(want.data) || 1;
    const ofSums = sums[name](size) / size;
    return {name, want, sums: ofSums, tolerance: ofSums + (2 * moved[at]) / size};
  });
  return {values, wanted};
}

function answer(c: Case, {q, k, v, dout}: CaseInputs, naive: NaiveInputs) {
  const out = naiveLocalAttention(q, k, v, c.config, naive);
  return {out, ...naiveLocalAttentionGrad(q, k, v, c.config, naive, dout)};
}

function names(wants: ReturnType<typeof answer>): Wanted['name'][] {
  const all = ['out', 'dq', 'dk', 'dv', 'dAttnBias'] as const;
  return all.filter((name) => wants[name] !== undefined);
}

/**
 * The error of sums in each result, given its largest number. Where the softmax is saturated a
 * gradient is nearly 0, being a difference of two numbers of ordinary size, dout · v, and keeps the
 * error of those. So does dv where the dout that it adds up nearly cancel.
 */
function sumsOf(c: Case, {q, k, v, dout}: CaseInputs) {
  const {window, context} = geometry(c);
  const d = c.shape[c.shape.length - 1];
  const {scale = d ** -0.5, sharedQk, useXpos} = c.config;
  const {xposScaleBase = Math.floor(c.config.windowSize / 2)} = c.config;
  // queries and keys that are scaled apart meet at this power, of ζ = 0.4 / 1.4, at the most
  const apart = c.config.causal ? 0 : window - 1;
  const growth = useXpos ? (1.4 / 0.4) ** (apart / xposScaleBase) : 1;
  const kept = 1 / (1 - (c.dropout?.rate ?? 0));
  const ofScores = largest(dout.data) * largest(v.data) * kept;
  const ofProducts = growth * Math.abs(scale) * ofScores;
  const sizes = {d, context, largestScore: 0};
  const [output, gradient] = [outputTolerance(sizes), gradientTolerance(sizes)];
  const lesser = sharedQk ? 1 / Math.min(...norms(k)) : 1;
  return {
    out: () => output * largest(v.data) * kept,
    dq: (size: number) => gradient * Math.max(size, ofProducts * (sharedQk ? 1 : largest(k.data))),
    dk: (size: number) => gradient * Math.max(size, ofProducts * largest(q.data) * lesser),
    dv: (size: number) => gradient * Math.max(size, largest(dout.data) * kept),
    dAttnBias: (size: number) => gradient * Math.max(size, ofScores),
  };
}
