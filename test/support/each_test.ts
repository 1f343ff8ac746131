/** What every test is asked besides its own claim; for a page, where one file follows another. */
import {checkGpuErrors, expectNoGpuErrors} from './gpu_errors';

export function eachTest() {
  beforeEach(expectNoGpuErrors);
  afterEach(checkGpuErrors);
}
