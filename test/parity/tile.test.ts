/** Which tile of the program is chosen, and that either gives the same bits, in every option and thread. */
import workers from 'node:worker_threads';

import * as tf from '@tensorflow/tfjs';

import {Tile, fasterTile} from '../../kernels/program/tile';
import {localAttention, ready} from '../../src';
import {CASES, Case} from '../support/cases';
import {digest} from '../support/digest';
import {PROGRAMS, useAnyBuild, useImplementation} from '../support/implementations';
import {inputsOf, tensorsOf} from '../support/inputs';
import {run} from '../support/run';
import {SHAPES, bitsOf} from '../support/shapes';

const TILE = 'LOCAL_ATTENTION_WASM_TILE';

function withTile<T>(tile: Tile, compute: () => T): T {
  tf.env().set(TILE, tile);
  try {
    return compute();
  } finally {
    tf.env().set(TILE, 'auto');
  }
}

describe.each(PROGRAMS)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);

  test.each(CASES.map((c) => [c.name, c] as const))('a small call: %s', (_, c) => {
    const [narrow, wide] = [withTile('narrow', () => bitsOfCase(c)), withTile('wide', () => bitsOfCase(c))]; // prettier-ignore
    expect(wide).toEqual(narrow);
  });

  test.each(SHAPES)('a large call: %s', (_, shape) => {
    expect(withTile('wide', () => bitsOf(shape))).toEqual(withTile('narrow', () => bitsOf(shape)));
  });

  test('threads change tiles with the main one', async () => {
    const [, shape] = SHAPES[0];
    const alone = withTile('narrow', () => bitsOf(shape));
    await ready({threads: 2});
    const posted = jest.spyOn(workers.Worker.prototype, 'postMessage');
    const told = () => posted.mock.calls.flatMap(([{program}]) => (program ? [program.wide] : []));
    for (const [at, tile] of (['wide', 'narrow', 'wide'] as const).entries()) {
      posted.mockClear();
      expect(withTile(tile, () => bitsOf(shape))).toEqual(alone);
      if (at > 0) expect(told()).toEqual([tile === 'wide' ? 1 : 0]); // once, by the first phase
    }
    posted.mockRestore();
    await ready({threads: 1});
  }, 120_000);
});

describe('the choice', () => {
  const chosen = () => tf.env().getString(TILE);
  const notYet = () => tf.env().set(TILE, 'auto');
  beforeEach(notYet);
  afterEach(notYet);

  // ms by round of an engine that compiles each tile better in the rounds given
  const engine = (narrow: number[], wide: number[], sample = 1) => {
    const rounds = {narrow: 0, wide: 0};
    let ms = 0;
    const time = (tile: Tile) => {
      ms += sample;
      const times = {narrow, wide}[tile];
      return times[Math.min(rounds[tile]++, times.length - 1)];
    };
    return {time, rounds, now: () => ms};
  };

  const bad = (ms: number) => Array<number>(15).fill(ms);

  test.each<[string, Tile, number[], number[]]>([
    ['the faster one', 'wide', [1], [0.7]],
    ['the narrow one where both are alike', 'narrow', [1], [0.97]],
    ['by times after compilation', 'wide', [3, 3, 1, 0.6], [4, 4, 4, 4, 0.5]],
    ['and not by what is compiled first', 'narrow', [4, 4, 4, 4, 0.5], [3, 0.6]],
    ['and not by thirty milliseconds of bad code', 'narrow', [...bad(3), 0.8], [...bad(2.6), 1]],
    ['one slow sample is none', 'narrow', [1, 9, 9], [1.5]],
  ])('is %s', (_, tile, narrow, wide) => {
    const {time, now} = engine(narrow, wide);
    expect(fasterTile(time, now)).toBe(tile);
  });

  const falling = Array.from({length: 100}, (_, round) => 0.8 ** round);
  test.each([
    ['soon after compilation', [4, 4, 4, 4, 1], 1, 9],
    ['after 50 ms where all was compiled before', [1], 1, 27],
    ['after 100 ms, although times fall for ever', falling, 1, 50],
    ['after 100 ms of a clock that ticks every 17 ms', [1], 17, 3],
  ])('is made %s', (_, times, sample, most) => {
    const {time, rounds, now} = engine(times, times, sample);
    expect(fasterTile(time, now)).toBe('narrow');
    expect(rounds.narrow).toBeLessThanOrEqual(most);
  });

  describe.each(PROGRAMS)('%s', (_, one) => {
    beforeAll(() => useImplementation(one));
    afterAll(useAnyBuild);

    test('is made by the first large call, and not by small ones', () => {
      const attend = (n: number) => {
        const x = tf.ones<tf.Rank>([2, n, 64]);
        tf.dispose([x, localAttention(x, x, x, {windowSize: 256, implementation: 'fused'})]);
      };
      attend(256);
      expect(chosen()).toBe('auto');
      attend(2048);
      expect(['narrow', 'wide']).toContain(chosen());
    });

    test('is made by ready(), but not where the flag names a tile', async () => {
      await ready({threads: 1});
      expect(['narrow', 'wide']).toContain(chosen());
      for (const tile of ['narrow', 'wide'] as const) {
        tf.env().set(TILE, tile);
        await ready({threads: 1});
        expect(chosen()).toBe(tile);
      }
    });
  });
});

function bitsOfCase(c: Case): string[] {
  const given = tensorsOf(c, inputsOf(c));
  const results = run(c, given, 'fused');
  const bits = results.map(digest);
  tf.dispose([given.inputs, given.dispose, given.dout, results]);
  return bits;
}
