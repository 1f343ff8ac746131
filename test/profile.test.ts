/** `npm run profile`: it tells where a step goes, and shows that the replaced kernels are used. */
import {spawnSync} from 'node:child_process';
import {join} from 'node:path';

import {BACKENDS} from './support/backends';

interface Report {
  kernels: number;
  ms: number;
  rows: {kernel: string; calls: number; ms: number}[];
}

function profile(...flags: string[]): {report: Report; lines: string[]} {
  const args = ['--import', 'tsx', 'bench/profile.ts', '--json', ...flags];
  const {stdout, stderr, status} = spawnSync(process.execPath, args, {
    cwd: join(__dirname, '..'),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  const lines = stdout.trim().split('\n');
  return {report: JSON.parse(lines.at(-1)!) as Report, lines};
}

const onWasm = BACKENDS.includes('wasm') ? test : test.skip;

onWasm(
  'a step of M2 on wasm runs the fused kernels, and a quarter of the kernels after registerFasterKernels',
  () => {
    const flags = ['--workload', 'M2', '--backend', 'wasm'];
    const [before, after] = [profile(...flags), profile(...flags, '--faster')];
    for (const {report, lines} of [before, after]) {
      const callsOf = (name: string) => report.rows.find(({kernel}) => kernel === name)?.calls;
      expect([callsOf('LocalAttention'), callsOf('LocalAttentionGrad')]).toEqual([2, 2]);
      expect(lines[0]).toBe(`${report.kernels} kernels, ${report.ms.toFixed(0)} ms a step`);
      expect(lines.filter((line) => line.startsWith('| '))).toHaveLength(12);
      expect(report.rows.reduce((sum, {ms}) => sum + ms, 0)).toBeGreaterThan(0);
    }
    expect(after.report.kernels).toBeLessThan(before.report.kernels / 4);
  },
);
