import {testPage} from '../support/test_page';

testPage('cpu', {backend: 'cpu'});
