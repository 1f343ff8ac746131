import {testPage} from '../support/test_page';

/** What Node runs whole by one thread, and wasm_threads.test.ts by two, relaxed SIMD too. */
testPage('wasm', {
  backend: 'wasm',
  flags: {WASM_HAS_MULTITHREAD_SUPPORT: false},
  environment: {SAMPLE: 'true'},
});
