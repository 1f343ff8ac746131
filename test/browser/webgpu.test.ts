import {testPage} from '../support/test_page';

/** The rest runs in Node alone, whose WebGPU is Chromium's: an emulated GPU compiles for minutes. */
const FILES = [
  'oracle/cases',
  'property/random',
  'property/dropout',
  'gradient/use',
  'verify/right',
];

testPage('webgpu', {backend: 'webgpu', environment: {SAMPLE: 'true'}}, 'chromium', FILES);
