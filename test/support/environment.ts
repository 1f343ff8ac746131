import {TestEnvironment} from 'jest-environment-node';

import {installGpu} from './dawn';

/**
 * Jest runs a test in a realm of its own, with its own `Float32Array`. A native addon makes arrays
 * of Node's realm, so what tfjs-node returns would fail `instanceof Float32Array`, in the tests and
 * inside tfjs. Jest already lends a test Node's `Uint8Array`; tensors also come as these two.
 *
 * Dawn is a module that a test cannot require; `installGpu` gives it to those that want it.
 */
export default class extends TestEnvironment {
  constructor(...args: ConstructorParameters<typeof TestEnvironment>) {
    super(...args);
    Object.assign(this.global, {Float32Array, Int32Array});
    this.global.installGpu = () => installGpu(this.global);
  }
}
