import {testPage} from '../support/test_page';

/** The shaders that webgl.test.ts asks whole: here what their numbers lose between two draws. */
testPage(
  'webgl, float16',
  {
    backend: 'webgl',
    flags: {WEBGL_FORCE_F16_TEXTURES: true},
    environment: {PRECISION: 'float16', SAMPLE: 'true'},
  },
  'chromium',
  ['oracle/cases', 'gradient/use'],
);
