/** The benchmark on a GPU: what it measures where, what it counts, and that it would notice a wrong answer. */
import {spawnSync} from 'node:child_process';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';

import {Candidate} from '../bench/candidate';
import {csvOf, rowsOf} from '../bench/csv';
import {GpuCandidate, kernelsOf} from '../bench/gpu/candidate';
import {commands, countCommands} from '../bench/gpu/commands';
import {isEmulated} from '../bench/gpu/device';
import {speedups, times} from '../bench/gpu/markdown';
import {Planned, measurePlan} from '../bench/gpu/plan';
import {takeTurns} from '../bench/gpu/turns';
import {tableOf} from '../bench/report';
import {Measured, refusedRow} from '../bench/row';
import {WHATS} from '../bench/workloads';
import {NO_BROWSER} from './support/browser';

const SWIFTSHADER = 'google swiftshader';
const ABOUT = {
  workload: 'W3',
  backend: 'webgpu',
  host: 'node',
  device: SWIFTSHADER,
  runtime: 'Node 20.20.2',
  what: 'forward',
  threads: 1,
} as const;

function rowOf(candidate: string, minMs: number, more: Partial<Measured> = {}): Measured {
  return {...refusedRow({...ABOUT, candidate}, ''), refusal: null, minMs, dispatches: 1, ...more};
}

describe('what is measured', () => {
  async function planned(device: string, names?: string[]): Promise<string[]> {
    const seen: string[] = [];
    const measure = async ({workload, what, peers}: Planned) => {
      seen.push(`${workload.name} ${what}${peers ? '' : ' alone'}`);
      return [rowOf('fused', 1, {device})];
    };
    await measurePlan(measure, names, WHATS);
    return seen;
  }

  test('on an emulated GPU: no gradient of what is large, and no other library there', async () => {
    expect(await planned(SWIFTSHADER)).toEqual([
      'W3 forward',
      'W3 training',
      'W6 forward',
      'W6 training',
      'W5 forward',
      'W5 training',
      'M2 training alone',
      'W4 forward alone',
      'W1 forward alone',
    ]);
  });

  test('on a GPU: everything, once', async () => {
    const seen = await planned('nvidia ada-lovelace');
    expect(seen).toHaveLength(6 * 2 + 2);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('what is named is measured wherever', async () => {
    expect(await planned(SWIFTSHADER, ['W2'])).toEqual(['W2 forward', 'W2 training']);
  });

  test.each([
    ['ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)', true],
    ['llvmpipe (LLVM 15.0.6, 256 bits)', true],
    ['ANGLE (NVIDIA, NVIDIA GeForce RTX 4090, OpenGL 4.5)', false],
  ])('%s is emulated: %s', (device, emulated) => expect(isEmulated(device)).toBe(emulated));
});

describe('counts', () => {
  test('kernels are those that TF.js runs meanwhile, also after an await, and none later', async () => {
    await tf.setBackend('cpu');
    const {result, kernels} = await kernelsOf(async () => {
      const x = tf.add(1, 2);
      await x.data();
      return tf.mul(x, 3);
    });
    tf.neg(result);
    expect(kernels).toEqual(['Add', 'Multiply']);
    expect(result.dataSync()[0]).toBe(9);
  });

  test('each draw of any library is one, and still draws', () => {
    const drawn: unknown[] = [];
    class WebGL2RenderingContext {
      drawArrays(...args: unknown[]) {
        drawn.push(args);
      }
      drawElements() {}
    }
    Object.assign(globalThis, {WebGL2RenderingContext});
    countCommands();
    const before = commands.count;
    const gl = new WebGL2RenderingContext();
    gl.drawArrays(4, 0, 6);
    gl.drawElements();
    expect(commands.count - before).toBe(2);
    expect(drawn).toEqual([[4, 0, 6]]);
    Reflect.deleteProperty(globalThis, 'WebGL2RenderingContext');
  });
});

describe('taking turns', () => {
  const scripted = (name: string, ms: number[], dispatches: number): GpuCandidate => ({
    name,
    kernels: null,
    async time(calls) {
      commands.count += dispatches * calls;
      return ms.shift()!;
    },
    results: async () => [],
    peakMiB: () => null,
    close() {},
  });

  test('the least time stands beside the median, and dispatches are those of a call', async () => {
    const candidates = [scripted('a', [11, 3, 1, 2], 1), scripted('b', [30, 9, 40, 8], 76)];
    // one call first; the first candidate is so fast that two make a sample
    expect(await takeTurns(candidates, false, 3)).toEqual([
      {medianMs: 2.5, minMs: 1, enqueueMs: null, dispatches: 1},
      {medianMs: 19.5, minMs: 8, enqueueMs: null, dispatches: 76},
    ]);
  });

  test('calls that are not awaited are timed where that is asked, of those that can', async () => {
    const own = {...scripted('a', [1, 1], 1), enqueue: async () => 0.25};
    const peer: Candidate & GpuCandidate = scripted('b', [1, 1], 1);
    const timings = await takeTurns([own, peer], true, 1);
    expect(timings.map(({enqueueMs}) => enqueueMs)).toEqual([0.25, null]);
  });
});

describe('tables', () => {
  const rows = [
    rowOf('composite', 30, {dispatches: 76, enqueueMs: 16}),
    rowOf('fused', 2, {enqueueMs: 0.25}),
    refusedRow({...ABOUT, candidate: 'jax-js'}, "its device 'webgl' does not start, here"),
  ];
  const read = rowsOf(csvOf(rows));

  test('what is written as CSV is read again, commas and quotes too', () => {
    expect(read[2].refusal).toBe("its device 'webgl' does not start, here");
    expect(rowsOf(csvOf([{a: 'x "y", z', b: ''}]))).toEqual([{a: 'x "y", z', b: ''}]);
  });

  test('the speedup is that of least times, and of calls until they return', () => {
    const [table] = speedups(read);
    expect(table).toMatch(/\| W3, forward +\| +15× \|/);
    expect(table).toMatch(/\| W3, forward, until the call returns +\| +64× \|/);
  });

  test('times name the device, the dispatches, and why a candidate has none', () => {
    const [text] = times(read);
    expect(text).toContain('_On google swiftshader, Node 20.20.2, ');
    expect(text).toMatch(/\| webgpu, Node \| +fused \| +composite \| +jax-js \|/);
    expect(text).toMatch(/\| W3, forward +\| 2 ms \(1\) \| 30 ms \(76\) \| +– \|/);
    expect(text).toContain("jax-js: its device 'webgl' does not start, here.");
  });

  test('people are told why, and spared the columns that nobody fills', () => {
    const text = tableOf(rows);
    expect(text).toContain('does not start, here');
    expect(text).not.toContain('of limit');
  });
});

// of webgl, which is in every chromium, on a GPU or not
(NO_BROWSER ? test.skip : test)(
  'npm run bench -- --backend webgl measures in chromium and names what draws',
  () => {
    const flags = ['--backend', 'webgl', '--workload', 'W3', '--what', 'forward'];
    const args = ['--import', 'tsx', path.join('bench', 'run.ts'), ...flags, '--rounds', '1', '--json']; // prettier-ignore
    const {status, stdout} = spawnSync(process.execPath, args, {
      cwd: path.join(__dirname, '..'),
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    const rows: Measured[] = JSON.parse(stdout.trimEnd().split('\n').pop()!);
    expect(rows.map(({candidate}) => candidate)).toEqual(['fused', 'composite', 'straightforward']);
    for (const row of rows) {
      expect(row).toMatchObject({
        workload: 'W3',
        backend: 'webgl',
        host: 'chromium',
        refusal: null,
      });
      expect(row.device).toMatch(/\w/);
      expect(row.maxError).toBeLessThan(2e-6);
      expect(row.enqueueMs).toBeGreaterThan(0);
    }
    const [fused, composite] = rows;
    expect(fused.peakMiB).toBeGreaterThan(0.02); // the scores, in textures of our own
    expect(fused.dispatches).toBeLessThan(composite.dispatches! / 5);
    expect(composite.kernels).toBeGreaterThan(10 * fused.kernels!);
  },
  120_000,
);
