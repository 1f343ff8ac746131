/** Which build of the WebAssembly program runs is a flag of TF.js; a wrong one is an error. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {PROGRAMS, RELAXED_RUNS, useAnyBuild, useImplementation} from '../support/implementations';

describe.each(PROGRAMS)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);

  test.each([
    ['avx', "must be 'auto', 'relaxed' or 'simd', got 'avx'"],
    ...(RELAXED_RUNS ? [] : [['relaxed', "is 'relaxed', which this engine does not run"]]),
  ])('a build that is not there is an error: %s', (build, message) => {
    const q = tf.zeros([2, 4]);
    tf.env().set('LOCAL_ATTENTION_WASM_BUILD', build);
    for (const implementation of ['fused', 'auto'] as const) {
      const attend = () => localAttention(q, q, q, {windowSize: 2, implementation});
      expect(attend).toThrow(message);
    }
    tf.env().set('LOCAL_ATTENTION_WASM_BUILD', one.build!);
    q.dispose();
  });
});
