import {testPage} from '../support/test_page';

const FILES = ['oracle/cases', 'property/random', 'property/reach', 'gradient/use', 'leaks'];

testPage('webgl', {backend: 'webgl'}, 'firefox', FILES);
testPage('webgpu', {backend: 'webgpu'}, 'firefox', FILES);
