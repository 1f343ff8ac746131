/** What every test is asked besides its own claim. */
import {checkGpuErrors, expectNoGpuErrors} from './gpu_errors';

beforeEach(expectNoGpuErrors);
afterEach(checkGpuErrors);
