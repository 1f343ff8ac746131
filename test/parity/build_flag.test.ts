/** Which build and which tile of the WebAssembly program run are flags of TF.js; wrong ones are errors. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {PROGRAMS, RELAXED_RUNS, useAnyBuild, useImplementation} from '../support/implementations';

describe.each(PROGRAMS)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);

  test.each([
    ['BUILD', 'avx', "must be 'auto', 'relaxed' or 'simd', got 'avx'"],
    ['TILE', 'broad', "must be 'auto', 'narrow' or 'wide', got 'broad'"],
    ...(RELAXED_RUNS ? [] : [['BUILD', 'relaxed', "is 'relaxed', which this engine does not run"]]),
  ])('what is not there is an error: %s %s', (what, named, message) => {
    const q = tf.zeros([2, 4]);
    const flag = `LOCAL_ATTENTION_WASM_${what}`;
    const before = tf.env().getString(flag);
    tf.env().set(flag, named);
    for (const implementation of ['fused', 'auto'] as const) {
      const attend = () => localAttention(q, q, q, {windowSize: 2, implementation});
      expect(attend).toThrow(message);
    }
    tf.env().set(flag, before);
    q.dispose();
  });
});
