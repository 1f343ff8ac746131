import {testPage} from '../support/test_page';

testPage('wasm-threads', {
  backend: 'wasm',
  flags: {WASM_HAS_MULTITHREAD_SUPPORT: true},
  threads: 2,
});
