import {testPage} from '../support/test_page';

/** The JavaScript that Node runs whole, in another build of the same engine. */
testPage('cpu', {backend: 'cpu', environment: {SAMPLE: 'true'}});
