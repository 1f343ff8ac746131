/**
 * Which tile this engine multiplies fastest on this core:
 *
 *     node bench/tile_search.mjs
 *     node --experimental-wasm-revectorize bench/tile_search.mjs   # Node 22 or later, on x86
 *
 * A tile of R × 4 V holds the sums of R rows and V vectors of columns: a step loads V vectors of B, and
 * R numbers of A, each into all lanes. More sums hide more of the latency, and need fewer loads a
 * product; until there are more than registers. You will see GFLOP/s of packed panels in cache,
 * with 128-bit SIMD and with relaxed SIMD, the best of all samples, which take turns.
 */
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';

import asc from 'assemblyscript/asc';

const {WebAssembly, console, performance} = globalThis;

const ROWS = [1, 2, 3, 4, 5, 6, 8, 10, 12];
const VECTORS = [1, 2, 3, 4, 8];
const MOST_SUMS = 24;
const FEWEST_SUMS = 4;
const STEPS = 64; // as many as a head has channels
const PANELS = 16; // of A, one after the other with the same B
const SAMPLE_MS = 5;
const SAMPLES = 15;
const BUILDS = {simd: 'simd', relaxed: 'simd,relaxed-simd'};
const OPTIONS = '-O3s --noAssert --runtime stub --use abort= --initialMemory 16'.split(' ');

/** A product of panels: A is [panels][STEPS][rows], B [STEPS][4 vectors]. */
function sourceOf(rows, vectors) {
  const lines = (count, line) => Array.from({length: count}, (_, at) => line(at)).join('\n');
  const tile = (line) =>
    lines(rows, (r) => lines(vectors, (v) => line(r, v, 16 * (r * vectors + v))));
  const step = (r) => `s = v128.load32_splat(a, ${4 * r});
    ${lines(vectors, (v) => `c${r}_${v} = madd(s, b${v}, c${r}_${v});`)}`;
  return `
    export function multiply(a: usize, b: usize, c: usize): void {
      const end = b + ${STEPS * 16 * vectors};
      for (let panel = 0; panel < ${PANELS}; panel++) {
        ${tile((r, v) => `let c${r}_${v} = f32x4.splat(0);`)}
        for (let t = b; t != end; t += ${16 * vectors}) {
          let s: v128;
          ${lines(vectors, (v) => `const b${v} = v128.load(t, ${16 * v});`)}
          ${lines(rows, step)}
          a += ${4 * rows};
        }
        ${tile((r, v, at) => `v128.store(c, c${r}_${v}, ${at});`)}
        c += ${16 * rows * vectors};
      }
    }
    // @ts-ignore: decorator
    @inline
    function madd(a: v128, b: v128, c: v128): v128 {
      if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
      return f32x4.add(f32x4.mul(a, b), c);
    }`;
}

async function compile(rows, vectors, features) {
  const folder = mkdtempSync(join(tmpdir(), 'tile-search-'));
  const [source, target] = [join(folder, 'tile.ts'), join(folder, 'tile.wasm')];
  writeFileSync(source, sourceOf(rows, vectors));
  const {error} = await asc.main([source, ...OPTIONS, '--enable', features, '-o', target]);
  if (error) throw error;
  const bytes = readFileSync(target);
  rmSync(folder, {recursive: true});
  return bytes;
}

/** A function that takes a sample and answers the best GFLOP/s so far. */
function samplerOf(bytes, rows, vectors) {
  const {multiply} = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  const flops = 2 * PANELS * STEPS * rows * 4 * vectors;
  const [a, b, c] = [0x10000, 0x40000, 0x80000];
  let best = 0;
  return () => {
    let [calls, ms] = [0, 0];
    const start = performance.now();
    for (; ms < SAMPLE_MS; calls++, ms = performance.now() - start) multiply(a, b, c);
    best = Math.max(best, (calls * flops) / ms / 1e6);
    return best;
  };
}

const found = [];
for (const rows of ROWS) {
  for (const vectors of VECTORS) {
    const sums = rows * vectors;
    if (sums < FEWEST_SUMS || sums > MOST_SUMS) continue;
    const tile = {name: `${rows} × ${4 * vectors}`};
    for (const [build, features] of Object.entries(BUILDS)) {
      const bytes = await compile(rows, vectors, features);
      if (WebAssembly.validate(bytes)) tile[build] = samplerOf(bytes, rows, vectors);
    }
    found.push(tile);
  }
}
const builds = Object.keys(BUILDS).filter((build) => found[0][build]);
for (let sample = 0; sample < SAMPLES; sample++) {
  for (const tile of found) for (const build of builds) tile[build]();
}
console.log(
  `Node ${process.versions.node}, V8 ${process.versions.v8} ${process.execArgv.join(' ')}`,
);
console.table(
  Object.fromEntries(
    found.map((tile) => [
      tile.name,
      Object.fromEntries(builds.map((build) => [build, +tile[build]().toFixed(1)])),
    ]),
  ),
);
