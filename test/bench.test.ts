/** The benchmark: what it prints, what it refuses, and that it would notice a wrong answer. */
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';

import {speedOfCore} from '../bench/calibration';
import type {Candidate} from '../bench/candidate';
import {bestComposition} from '../bench/candidates/best_composition';
import {straightforward} from '../bench/candidates/straightforward';
import {LARGEST_ERROR, checkedError, expectedOf} from '../bench/check';
import {measure} from '../bench/measure';
import {processor} from '../bench/processor';
import {runtime} from '../bench/runtime';
import {WORKLOADS, inputsOf, usefulFlops, visibleScores} from '../bench/workloads';
import {naiveLocalAttention, naiveLocalAttentionGrad} from './support/naive';

jest.setTimeout(60_000); // the commands are processes of their own

jest.mock('../bench/calibration');
const speed = jest.mocked(speedOfCore);

const SMALL = {name: 'small', heads: 3, n: 21, d: 4, w: 7};
const CONFIG = {windowSize: SMALL.w, causal: true, useRotaryPosEmb: false};

function command(script: string, ...flags: string[]) {
  const args = ['--import', 'tsx', path.join('bench', script), ...flags];
  return spawnSync(process.execPath, args, {cwd: path.join(__dirname, '..'), encoding: 'utf8'});
}

describe('npm run bench', () => {
  test('prints a table, then a row of JSON for each candidate, all right and compared with fused', () => {
    const flags = [
      '--workload',
      'W3',
      '--backend',
      'wasm,cpu',
      '--what',
      'forward',
      '--rounds',
      '1',
    ];
    const {status, stdout} = command('run.ts', ...flags, '--json');
    expect(status).toBe(0);
    const rows = JSON.parse(stdout.trimEnd().split('\n').pop()!);

    const names = ['fused', 'straightforward', 'best-composition'];
    const fixed = {
      workload: 'W3',
      host: 'node',
      device: processor(),
      runtime: runtime(),
      what: 'forward',
      threads: 1,
    };
    const expected = ['wasm', 'cpu'].flatMap((backend) =>
      names.map((candidate) => ({...fixed, backend, candidate})),
    );
    expect(rows).toEqual(
      expected.map((row) => ({
        ...row,
        medianMs: expect.any(Number),
        minMs: expect.any(Number),
        ratio: expect.any(Number),
        enqueueMs: null,
        kernels: null,
        dispatches: null,
        peakMiB: expect.any(Number),
        maxError: expect.any(Number),
        refusal: null,
      })),
    );
    for (const row of rows) {
      expect(row.minMs).toBeGreaterThan(0);
      expect(row.medianMs).toBeGreaterThanOrEqual(row.minMs);
      expect(row.peakMiB).toBeGreaterThanOrEqual(0);
      expect(row.maxError).toBeLessThan(2e-6);
      if (row.candidate === 'fused') expect(row.ratio).toBe(1);
    }
  });

  test.each([
    [['--workload', 'W1,W9'], /'W1,W9' is invalid.*Known are W1, W2, W3, W4, W5, W6, M1, M2\./],
    [['--threads', '0'], /whole numbers from 1 on/],
    [['--rounds', '2.5'], /whole number from 1 on/],
    [['W1'], /too many arguments/],
    [['--fast'], /unknown option '--fast'/],
  ])('%j is refused in a sentence', (flags, sentence) => {
    const {status, stdout, stderr} = command('run.ts', ...flags);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(sentence);
  });
});

test('a sweep writes a table of numbers and a picture of them', () => {
  const out = fs.mkdtempSync(path.join(os.tmpdir(), 'sweep-'));
  const options = ['--axis', 'n', '--values', '512,1024', '--what', 'training', '--rounds', '1'];
  expect(command('sweep.ts', ...options, '--out', out).status).toBe(0);
  const lines = fs
    .readFileSync(path.join(out, 'n_wasm_training.csv'), 'utf8')
    .trimEnd()
    .split('\n');
  expect(lines).toHaveLength(1 + 2 * 3);
  expect(lines[1].split(',')).toHaveLength(lines[0].split(',').length);
  const svg = fs.readFileSync(path.join(out, 'n_wasm_training.svg'), 'utf8');
  expect(svg).toMatch(/^<svg [\s\S]*straightforward[\s\S]*<\/svg>\n$/);
  fs.rmSync(out, {recursive: true});
});

describe('a candidate is checked', () => {
  const inputs = inputsOf(SMALL);
  const shape = [SMALL.heads, SMALL.n, SMALL.d];
  const [q, k, v, dout] = [inputs.q, inputs.k, inputs.v, inputs.dout].map((data) => ({
    shape,
    data,
  }));
  const out = naiveLocalAttention(q, k, v, CONFIG).data;
  const {dq, dk, dv} = naiveLocalAttentionGrad(q, k, v, CONFIG, {}, dout);
  const forward = expectedOf(SMALL, inputs, 'forward');
  const training = expectedOf(SMALL, inputs, 'training');
  const gradients = [dq.data, dk.data, dv.data];
  const errorOf = (results: Float64Array[]) =>
    checkedError('mine', results.length === 1 ? forward : training, SMALL, results);

  test('what the definition gives passes', () => {
    expect(errorOf([out])).toBeLessThan(1e-14);
    expect(errorOf(gradients)).toBeLessThan(1e-14);
  });

  test('one wrong number in the last row of the first head is refused', () => {
    const wrong = out.slice();
    wrong[SMALL.n * SMALL.d - 1] += 2 * LARGEST_ERROR.forward;
    expect(() => errorOf([wrong])).toThrow(/candidate mine is wrong: out\[0, 20, 3\] is/);
  });

  test('zeros, NaN, swapped gradients and nothing at all are refused', () => {
    expect(() => errorOf([new Float64Array(out.length)])).toThrow('wrong');
    expect(() => errorOf([out.slice().fill(NaN)])).toThrow('is NaN, not');
    expect(() => errorOf([new Float64Array(0)])).toThrow('is undefined, not');
    expect(() => errorOf([dk.data, dq.data, dv.data])).toThrow('dq[0');
  });

  test.each([
    ['straightforward', straightforward(SMALL)],
    ['tuned', bestComposition('tuned', SMALL)],
    ['perWindow', bestComposition('perWindow', SMALL)],
  ])('the composition %s is right', (name, attend) => {
    const [q, k, v] = [inputs.q, inputs.k, inputs.v].map((x) =>
      tf.tensor3d(x, [SMALL.heads, SMALL.n, SMALL.d]),
    );
    const results = [tf.tidy(() => attend(q, k, v)).dataSync()];
    expect(checkedError(name, forward, SMALL, results)).toBeLessThan(2e-6);
  });
});

describe('measuring', () => {
  /** A candidate that says it takes these times, one after the other. */
  function scripted(name: string, times: number[]): Candidate {
    const time = async () => times.shift()!;
    return {name, time, results: async () => [], peakMiB: () => null, close() {}};
  }
  const SECONDS = 2000; // so nothing is warmed up

  test('the ratio is the median of those within a round, not that of the medians', async () => {
    speed.mockReturnValue(40);
    const candidates = [scripted('a', [1, 2, 4]), scripted('b', [10, 10, 12])];
    const {timings} = await measure(candidates, [SECONDS, SECONDS], 3);
    expect(timings).toEqual([
      {medianMs: 2, minMs: 1, ratio: 1},
      {medianMs: 10, minMs: 10, ratio: 5},
    ]);
  });

  test('a round in which the core was slow does not count, and another one is run', async () => {
    for (const value of [40, 40, 30, 30, 39, 39]) speed.mockReturnValueOnce(value);
    const measured = await measure([scripted('a', [1, 100, 3])], [SECONDS], 2);
    expect(measured).toMatchObject({rounds: 3, kept: 2, limit: 39.5});
    expect(measured.timings[0].medianMs).toBe(2);
  });
});

test('W1 has 12 million scores and 3.1 GFLOP forward, three and a half times that in training', () => {
  expect(visibleScores(WORKLOADS.W1)).toBe(12_075_008);
  expect(usefulFlops(WORKLOADS.W1, 'forward') / 1e9).toBeCloseTo(3.091, 3);
  expect(usefulFlops(WORKLOADS.W1, 'training')).toBe(3.5 * usefulFlops(WORKLOADS.W1, 'forward'));
  expect(visibleScores(WORKLOADS.W3)).toBe(775);
});

test('a row says which Node ran it, and what was asked of its WebAssembly', () => {
  const program = "console.log(require('./bench/runtime').runtime())";
  const args = ['--no-wasm-tier-up', '--import', 'tsx', '-e', program];
  const {stdout} = spawnSync(process.execPath, args, {
    cwd: path.join(__dirname, '..'),
    encoding: 'utf8',
  });
  expect(stdout).toBe(`Node ${process.versions.node} --no-wasm-tier-up\n`);
});
