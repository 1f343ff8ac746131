/**
 * How fast this core can multiply and add right now: a loop of 128-bit multiplications and
 * additions in WebAssembly, which is what a kernel without FMA is made of. It shows when other
 * programs disturb a round, and the kernels' speed is told as a share of it.
 */

/** Chains that do not wait for one another; more would not fit in the registers. */
const CHAINS = 12;
const FLOPS = CHAINS * 4 * 2; // of an iteration
const ITERATIONS = 2 ** 22;

const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;
const SIMD = 0xfd;
const COUNTER = 0;
const FACTOR = 1;
const CHAIN = 2; // and those after it

let spin: ((iterations: number) => number) | undefined;

/** GFLOP/s, over some 10 ms. */
export function speedOfCore(): number {
  if (!spin) {
    spin = assemble();
    for (let call = 0; call < 4; call++) spin(ITERATIONS); // the engine compiles it better meanwhile
  }
  const start = performance.now();
  spin(ITERATIONS);
  return (FLOPS * ITERATIONS) / (performance.now() - start) / 1e6;
}

/** (i32 iterations) -> f32 */
function assemble(): (iterations: number) => number {
  const chains = Array.from({length: CHAINS}, (_, chain) => CHAIN + chain);
  const get = (local: number) => [0x20, local];
  const set = (local: number) => [0x21, local];
  const simd = (code: number) => (code < 0x80 ? [SIMD, code] : [SIMD, code & 0x7f | 0x80, code >> 7]); // prettier-ignore
  const [splat, multiply, add, lane] = [0x13, 0xe6, 0xe4, 0x1f].map(simd);
  const half = [0x43, 0, 0, 0, 0x3f]; // 0.5: the chains converge to 1
  const body = [
    ...[1, CHAINS + 1, V128],
    ...half, ...splat, ...set(FACTOR),
    ...[0x03, 0x40], // loop
    ...chains.flatMap((c) => [...get(c), ...get(FACTOR), ...multiply, ...get(FACTOR), ...add, ...set(c)]),
    ...get(COUNTER), 0x41, 1, 0x6b, 0x22, COUNTER, // i32.const 1, i32.sub, local.tee
    0x0d, 0, 0x0b, // br_if, end
    ...chains.flatMap((c) => [...get(c), ...(c > CHAIN ? add : [])]), // so that each is needed
    ...lane, 0, 0x0b,
  ]; // prettier-ignore
  const leb = (x: number): number[] => (x < 0x80 ? [x] : [(x & 0x7f) | 0x80, ...leb(x >> 7)]);
  const section = (id: number, content: number[]) => [id, ...leb(content.length), ...content];
  const module = new WebAssembly.Module(
    Uint8Array.from([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, [1, 0x60, 1, I32, 1, F32]), // a type
      ...section(3, [1, 0]), // a function of it
      ...section(7, [1, 4, ...Buffer.from('spin'), 0, 0]), // exported
      ...section(10, [1, ...leb(body.length), ...body]),
    ]),
  );
  return new WebAssembly.Instance(module).exports.spin as (iterations: number) => number;
}
