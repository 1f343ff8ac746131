import {TestEnvironment} from 'jest-environment-node';

/**
 * Jest runs a test in a realm of its own, with its own `Float32Array`. A native addon makes arrays
 * of Node's realm, so what tfjs-node returns would fail `instanceof Float32Array`, in the tests and
 * inside tfjs. Jest already lends a test Node's `Uint8Array`; tensors also come as these two.
 */
export default class extends TestEnvironment {
  constructor(...args: ConstructorParameters<typeof TestEnvironment>) {
    super(...args);
    Object.assign(this.global, {Float32Array, Int32Array});
  }
}
