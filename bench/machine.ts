/**
 * What machine this is, and how much of it the fused kernel uses:
 *
 *     npx tsx bench/machine.ts
 */
import os from 'node:os';

import {speedOfCore} from './calibration';
import {measureCase} from './cases';
import {processor} from './processor';
import {WHATS, WORKLOADS} from './workloads';

/** In one line. */
export function machine(): string {
  const speeds = Array.from({length: 20}, speedOfCore);
  const best = Math.max(...speeds);
  const load = os.loadavg()[0].toFixed(1);
  return (
    `${processor()}, ${os.availableParallelism()} logical cores (load ${load}), Node ${process.version}, ` +
    `${best.toFixed(1)} GFLOP/s of 128-bit multiplications and additions on one core`
  );
}

async function main() {
  console.log(machine());
  for (const what of WHATS) {
    const c = {workload: WORKLOADS.W1, backend: 'wasm', what, threads: 1} as const;
    const [fused] = await measureCase({...c, peers: false, only: ['fused'], rounds: null});
    const share = (100 * fused.shareOfLimit!).toFixed(0);
    const speed = fused.gflops!.toFixed(1);
    console.log(`W1 ${what}, fused on wasm: ${speed} useful GFLOP/s, ${share} % of that.`);
  }
}

if (require.main === module) void main();
