/** erf in float64, by the series 2/√π · e^(−x²) · Σ 2^k x^(2k+1) / (2k+1)!!, whose terms have one sign; 1 from 6 on. */
export function erf(x: number): number {
  if (Math.abs(x) >= 6) return Math.sign(x);
  let term = x;
  let sum = 0;
  for (let k = 0; Math.abs(term) > 1e-18 * Math.abs(sum); k++) {
    sum += term;
    term *= (2 * x * x) / (2 * k + 3);
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
