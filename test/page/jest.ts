/** What Jest gives a test file, in a page: by Vitest's runner and expect, which run in browsers. */
import {
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  chai,
  setState,
} from '@vitest/expect';
import * as runner from '@vitest/runner';
import {fn, restoreAllMocks, spyOn} from '@vitest/spy';

export const CONFIG: runner.VitestRunnerConfig = {
  root: '/',
  setupFiles: [],
  name: undefined,
  passWithNoTests: true,
  testNamePattern: undefined,
  allowOnly: true,
  sequence: {seed: 1, hooks: 'stack', setupFiles: 'list'},
  chaiConfig: undefined,
  maxConcurrency: 1,
  testTimeout: 60_000,
  hookTimeout: 60_000,
  retry: 0,
  includeTaskLocation: false,
  tags: [],
  tagsFilter: undefined,
  strictTags: false,
};

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);
const {expect} = chai;
Object.assign(globalThis, {[GLOBAL_EXPECT]: expect});
setState({}, expect as never);

const {describe, test, beforeAll, afterAll, beforeEach, afterEach} = runner;
const jest = {
  fn,
  spyOn,
  setTimeout: (milliseconds: number) => void (CONFIG.testTimeout = milliseconds),
};
Object.assign(globalThis, {
  jest,
  expect,
  describe,
  test,
  beforeAll,
  afterAll,
  beforeEach,
  afterEach,
});

export {restoreAllMocks};
