import {testPage} from '../support/test_page';

testPage('webgl', {backend: 'webgl'});
