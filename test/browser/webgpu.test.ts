import {testPage} from '../support/test_page';

testPage('webgpu', {backend: 'webgpu'});
