/** What the view "See the window" says, beside what the package does. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

import {LocalAttentionArgs, localAttention} from '../../src';
import {memoryOf, comparison} from '../../examples/playground/views/window/memory';
import {Window, asOptions, allOptions, mended, refusal} from '../../examples/playground/views/window/options'; // prettier-ignore
import {contextOf, countOf, keysOf, sees} from '../../examples/playground/views/window/visible';
import {ruleOf, sentenceOf} from '../../examples/playground/views/window/words';

const CAUSAL: Window = {
  ...{windowSize: 3, lookBackward: 1, lookForward: 0, causal: true},
  ...{exactWindowsize: false, positions: 'rotary', sharedQk: false},
};

const windows: fc.Arbitrary<Window> = fc.record({
  windowSize: fc.integer({min: 1, max: 6}),
  lookBackward: fc.integer({min: 0, max: 2}),
  lookForward: fc.integer({min: 0, max: 2}),
  causal: fc.boolean(),
  exactWindowsize: fc.boolean(),
  positions: fc.constantFrom('rotary', 'xpos', 'none'),
  sharedQk: fc.boolean(),
});

beforeAll(async () => void (await tf.setBackend('cpu')));

/** The weights themselves: equal scores, and unit vectors as values. */
function weights(options: LocalAttentionArgs, n: number): number[][] {
  const out = tf.tidy(() => {
    const zeros = tf.zeros([n, 4]);
    return localAttention(zeros, zeros, tf.eye(n), options);
  });
  const rows = out.arraySync() as number[][];
  out.dispose();
  return rows;
}

test('the picture is what localAttention gives weight, for any options', () => {
  fc.assert(
    fc.property(windows.map(mended), fc.integer({min: 1, max: 17}), (window, n) => {
      const drawn = Array.from({length: n}, (_, i) => {
        const keys = keysOf(window, n, i);
        return Array.from({length: n}, (_, j) => sees(keys, i, j));
      });
      const given = weights(asOptions(window), n).map((row) => row.map((weight) => weight > 0));
      expect(drawn).toEqual(given);
      expect(drawn.map((row) => row.filter(Boolean).length)).toEqual(
        drawn.map((_, i) => countOf(keysOf(window, n, i))),
      );
    }),
    {numRuns: 200},
  );
});

test('options that are left out are at their defaults', () => {
  fc.assert(
    fc.property(windows.map(mended), (window) => {
      const short = weights(asOptions(window), 7);
      expect(weights({...allOptions(window), autopad: true}, 7)).toEqual(short);
    }),
    {numRuns: 30},
  );
});

test('a refusal is the sentence that the package throws, and there is none where it throws nothing', () => {
  fc.assert(
    fc.property(windows, (window) => {
      let thrown: string | null = null;
      try {
        weights(asOptions(window), 5);
      } catch (error) {
        thrown = (error as Error).message;
      }
      const told = refusal(window);
      expect(told && `[localAttention] ${told}`).toBe(thrown);
      expect(refusal(mended(window))).toBeNull();
    }),
    {numRuns: 200},
  );
});

test('the rule of each mode is the count of the README', () => {
  const rule = (changed: Partial<Window>) => ruleOf({...CAUSAL, ...changed});
  expect(rule({})).toBe('Blocks, causal: 1 window before its own and its own window up to itself: 4 to 6 keys.'); // prettier-ignore
  expect(rule({causal: false, lookForward: 1})).toBe(
    'Blocks: its own window, 1 window before, 1 after: (1 + 1 + 1) · 3 = 9 keys.',
  );
  expect(rule({exactWindowsize: true})).toBe('Exact, causal: at most 3 tokens back, and itself: 1 · 3 + 1 = 4 keys.'); // prettier-ignore
  expect(rule({exactWindowsize: true, causal: false, lookForward: 1})).toBe(
    'Exact: at most 3 tokens back, 3 forward, and itself: (1 + 1) · 3 + 1 = 7 keys.',
  );
});

test('a query tells its count, and why it is less at the ends of the text', () => {
  const exact = {...CAUSAL, exactWindowsize: true};
  expect(sentenceOf(exact, 'a whale', 4)).toBe('Query 5, “a”, sees 4 keys.');
  expect(sentenceOf(exact, 'a whale', 1)).toBe(
    'Query 2, a space, sees 2 keys, 2 fewer than elsewhere: the text begins there.',
  );
  expect(sentenceOf({...exact, causal: false, lookForward: 1}, 'abc', 1)).toBe(
    'Query 2, “b”, sees 3 keys, 4 fewer than elsewhere: the text begins and ends there.',
  );
});

test('memory grows with n · C beside n²', () => {
  expect(contextOf(CAUSAL)).toBe(6);
  expect(memoryOf(CAUSAL, 3000)).toEqual({local: 18000, full: 9e6});
  expect(comparison(memoryOf(CAUSAL, 3000))).toBe('full attention holds 500 times as many');
});
