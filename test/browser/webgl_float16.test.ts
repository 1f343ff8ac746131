import {testPage} from '../support/test_page';

const FILES = ['oracle/cases', 'gradient/use', 'leaks'];

testPage(
  'webgl, float16',
  {
    backend: 'webgl',
    flags: {WEBGL_FORCE_F16_TEXTURES: true},
    environment: {PRECISION: 'float16'},
  },
  'chromium',
  FILES,
);
