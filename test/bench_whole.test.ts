/** Whole models in the benchmark: what a step is given, what other libraries are told, and that a wrong loss is noticed. */
import {spawnSync} from 'node:child_process';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';

import {FIRST_STEPS, MODELS, batchesOf, built, idsOf} from '../bench/whole';
import {programOf} from '../bench/whole/program';
import {LARGEST_DIFFERENCE, begin, differenceOf, timed} from '../bench/whole/training';

beforeAll(() => tf.setBackend('cpu'));

describe.each(Object.values(MODELS))('$name', (model) => {
  test('what other libraries build has every layer after those that it reads, and every weight', () => {
    const ours = built(model, 'composite');
    const layers = programOf(ours);
    layers.forEach(({inputs}, at) => {
      const before = layers.slice(0, at).map(({name}) => name);
      expect(before).toEqual(expect.arrayContaining(inputs));
    });
    const values = layers.flatMap(({weights}) => weights.map(({values}) => [...values]));
    expect(values).toEqual(ours.getWeights().map((weight) => [...weight.dataSync()]));
  });

  test('the targets are the ids after those that are read', () => {
    const {batch, length, vocabulary, reads} = model;
    const rows = idsOf(model);
    const batches = batchesOf(model);
    expect(batches).toHaveLength(FIRST_STEPS);
    const {input, target} = batches[3];
    expect(target.shape).toEqual([batch, length, vocabulary]);
    const ids = (x: tf.Tensor) => [...(x.rank === 2 ? x : tf.argMax(x, -1)).dataSync()];
    const start = (3 * batch + 1) * (length + 1); // of the second row
    expect(ids(input).slice(length, 2 * length)).toEqual([...rows.slice(start, start + length)]);
    expect(ids(target).slice(length, 2 * length)).toEqual([
      ...rows.slice(start + 1, start + 1 + length),
    ]);
    expect(input.rank).toBe(reads === 'ids' ? 2 : 3);
    expect(Math.max(...rows)).toBeLessThan(vocabulary);
  });
});

describe('losses', () => {
  test('are those before each of the first steps, and after them', async () => {
    let weight = 0;
    const seen: number[] = [];
    const step = async (batch: number) => {
      seen.push(batch);
      return weight++;
    };
    const {losses} = await begin(step);
    expect(losses).toEqual(Array.from({length: FIRST_STEPS + 1}, (_, loss) => loss));
    await timed(step, 2);
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]);
  });

  test('that are others fail, with the first that is, whichever is larger', () => {
    const expected = [5, 4, 3];
    const near = [5, 4 * (1 + LARGEST_DIFFERENCE / 2), 3];
    const {largest, wrong} = differenceOf(expected, near);
    expect(wrong).toBeNull();
    expect(largest).toBeCloseTo(LARGEST_DIFFERENCE / 2, 8);
    expect(differenceOf(expected, [5, 4.5, 9]).wrong).toBe('failed: loss 1 is 4.5, not 4');
    expect(differenceOf(expected, [5, 3.5, 3]).wrong).toBe('failed: loss 1 is 3.5, not 4');
    expect(differenceOf(expected, [5, 4, NaN]).wrong).toBe('failed: loss 2 is NaN, not 3');
    expect(differenceOf(expected, [5, 4]).wrong).toBe('failed: loss 2 is undefined, not 3');
  });
});

test('npm run bench -- --workload M2 times candidates that come to the same losses', () => {
  const flags = ['--workload', 'M2', '--backend', 'wasm', '--rounds', '1', '--json'];
  const {status, stdout} = spawnSync(
    process.execPath,
    ['--import', 'tsx', path.join('bench', 'run.ts'), ...flags],
    {cwd: path.join(__dirname, '..'), encoding: 'utf8'},
  );
  expect(status).toBe(0);
  const rows = JSON.parse(stdout.trimEnd().split('\n').pop()!);
  expect(rows).toMatchObject(
    ['fused', 'fused attention', 'tfjs'].map((candidate) => ({
      ...{workload: 'M2', backend: 'wasm', what: 'training', candidate},
      ...{medianMs: expect.any(Number), ratio: expect.any(Number), refusal: null},
    })),
  );
  for (const {maxError} of rows) expect(maxError).toBeLessThan(LARGEST_DIFFERENCE);
  expect(rows[0].maxError).toBeGreaterThan(0); // another program computed it
}, 120_000);
