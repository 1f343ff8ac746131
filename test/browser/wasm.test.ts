import {testPage} from '../support/test_page';

testPage('wasm', {backend: 'wasm', flags: {WASM_HAS_MULTITHREAD_SUPPORT: false}});
