/** Another engine, on Mesa's OpenGL. Its WebGPU is there too, but takes minutes where there is no GPU. */
import {testPage} from '../support/test_page';

testPage('webgl', {backend: 'webgl'}, 'firefox', ['oracle/cases', 'gradient/use', 'leaks']);
