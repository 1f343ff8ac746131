/**
 * How far a right answer may be from the original's float64, as a part of its largest number. Behind
 * an output are sums of d products and of C weights, each wrong by ε for a score of at most S:
 *
 *     2 · ε · √(d + C) · (1 + S)
 *
 * and 3 times that for a gradient, which multiplies two such results and a softmax's derivative.
 * S is bounded by the norms of queries and keys, by what xpos scales apart, and by the bias.
 */
import type {GoldenCase} from './golden';
import type {Drawn, Inputs} from './inputs';

/** Of the numbers that a backend keeps: float32, or float16 in the textures of some webgl devices. */
export const FLOAT32 = 2 ** -23;
export const FLOAT16 = 2 ** -10;

export function outputTolerance(
  {config, shape}: GoldenCase,
  inputs: Inputs,
  epsilon: number,
): number {
  const d = shape[3];
  const keys = config.sharedQk ? 1 : largestNorm(inputs.k, d);
  const products = d ** -0.5 * largestNorm(inputs.q, d) * keys * growth(config);
  const largestScore = products + (inputs.bias ? 1 : 0);
  return 2 * epsilon * Math.sqrt(d + inputs.context) * (1 + largestScore);
}

export function gradientTolerance(ofOutput: number): number {
  return 3 * ofOutput;
}

/** The most by which xpos scales a key above its query, which lies before it: ζ is at least 0.4 / 1.4. */
function growth({useXpos, causal, windowSize}: GoldenCase['config']): number {
  return useXpos && !causal ? 3.5 ** ((windowSize - 1) / Math.floor(windowSize / 2)) : 1;
}

function largestNorm({data}: Drawn, d: number): number {
  let largest = 0;
  for (let row = 0; row < data.length; row += d) {
    largest = Math.max(largest, Math.hypot(...data.subarray(row, row + d)));
  }
  return largest;
}
