/** Another engine, on Mesa's OpenGL. Its WebGPU is there too, but takes minutes where there is no GPU. */
import {testPage} from '../support/test_page';

const FILES = ['oracle/cases', 'property/random', 'gradient/use'];

testPage('webgl', {backend: 'webgl', environment: {SAMPLE: 'true'}}, 'firefox', FILES);
