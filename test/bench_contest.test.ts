/** Candidates of a whole model: who is timed, who is refused and why, and what they answer. */
import * as tf from '@tensorflow/tfjs';

import {Skipped} from '../bench/candidate';
import type {Conversation, Json} from '../bench/candidates/peers/conversation';
import {answerer} from '../bench/whole/answer';
import {makersOf} from '../bench/whole/loaded';
import {measureModel} from '../bench/whole/measure';
import {FIRST_STEPS, MODELS} from '../bench/whole/models';

jest.mock('../bench/whole/loaded', () => ({
  ...jest.requireActual<object>('../bench/whole/loaded'),
  makersOf: jest.fn(),
}));

const CASE = {
  model: MODELS.M1,
  backend: 'wasm',
  host: 'node',
  threads: 2,
  peers: true,
  rounds: 1,
} as const;
const LOAD = {op: 'load', candidate: 'fused', model: 'M2', backend: 'cpu', threads: 1} as const;

let closed: string[];

beforeEach(() => {
  closed = [];
  jest.spyOn(console, 'error').mockReturnValue();
});

/** Candidates that answer so when they are told to load, and take so many ms a step. */
function scripted(candidates: Record<string, Json & {ms?: number}>): void {
  const conversation = (name: string, answer: Json): Conversation => ({
    async ask({op}) {
      if (answer.error) throw new Error(String(answer.error));
      return op === 'load' ? answer : {ms: answer.ms};
    },
    close: () => void closed.push(name),
  });
  const makers = Object.entries(candidates).map(
    ([name, answer]) => [name, async () => conversation(name, answer)] as const,
  );
  jest.mocked(makersOf).mockReturnValue(Object.fromEntries(makers));
}

test('a candidate that fails, is skipped or comes to other losses says so instead of a time', async () => {
  scripted({
    fused: {losses: [5, 4.00001], ms: 2000},
    tfjs: {losses: [5, 4], ms: 6000, kernels: 80},
    broken: {error: 'out of memory.'},
    absent: {skip: 'it is not installed'},
    wrong: {losses: [5, 4.01], ms: 1},
  });
  const rows = await measureModel(CASE);
  const about = {workload: 'M1', backend: 'wasm', host: 'node', what: 'training', threads: 2};
  const none = {medianMs: null, minMs: null, ratio: null};
  expect(rows).toMatchObject([
    {...about, candidate: 'fused', medianMs: 2000, ratio: 1, kernels: null, refusal: null},
    {...about, candidate: 'tfjs', medianMs: 6000, ratio: 3, kernels: 80, maxError: 0},
    {...about, candidate: 'broken', ...none, refusal: 'out of memory.'},
    {...about, candidate: 'absent', ...none, refusal: 'it is not installed'},
    {...about, candidate: 'wrong', ...none, refusal: 'failed: loss 1 is 4.01, not 4'},
  ]);
  expect(rows[0].maxError).toBeCloseTo(2.5e-6, 10);
  expect(new Set(closed)).toEqual(new Set(['fused', 'tfjs', 'broken', 'absent', 'wrong']));
});

test('nothing is compared without TF.js as it is or PyTorch, and every process ends', async () => {
  scripted({fused: {losses: [5, 4], ms: 2000}, tfjs: {error: 'memory access out of bounds'}});
  await expect(measureModel(CASE)).rejects.toThrow(
    'nothing can be compared without tfjs or pytorch',
  );
  expect(new Set(closed)).toEqual(new Set(['fused', 'tfjs']));
});

describe('what a process answers', () => {
  test('the losses, and how many kernels a step has', async () => {
    await tf.setBackend('cpu');
    const answer = answerer(async (load, model) => {
      expect(load.candidate).toBe('fused');
      expect(model).toBe(MODELS.M2);
      return async (batch) => tf.tidy(() => tf.neg(tf.add(batch, 1)).dataSync()[0]);
    });
    const {losses, kernels, dispatches, device} = await answer(LOAD);
    expect(losses).toEqual([-1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -1]);
    expect(losses).toHaveLength(FIRST_STEPS + 1);
    expect([kernels, dispatches, device]).toEqual([2, null, undefined]);
    expect(await answer({op: 'time', calls: 2})).toEqual({ms: expect.any(Number)});
  });

  test('why it cannot: skipped, or failed', async () => {
    const of = (error: Error) => answerer(() => Promise.reject(error))(LOAD);
    expect(await of(new Skipped('it has one thread'))).toEqual({skip: 'it has one thread'});
    expect(await of(new Error('no heap\nmore'))).toEqual({error: 'no heap'});
  });
});
