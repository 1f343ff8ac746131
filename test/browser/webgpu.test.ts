import {testPage} from '../support/test_page';

/** The rest runs in Node alone, whose WebGPU is Chromium's: an emulated GPU compiles for minutes. */
const FILES = [
  'oracle/cases',
  'property/random',
  'property/dropout',
  'gradient/first_order',
  'gradient/use',
  'verify/right',
  'training',
  'leaks',
];

testPage('webgpu', {backend: 'webgpu'}, 'chromium', FILES);
