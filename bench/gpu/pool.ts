import * as tf from '@tensorflow/tfjs';

const MIB = 2 ** 20;

/** What is used of TF.js's pools: buffers of webgpu, textures of webgl. */
type Pool = Record<string, (...args: unknown[]) => unknown> & {
  numBytesUsed?: number; // of the buffers in use
  numBytesAllocated: number;
  numBytesFree: number;
};

/**
 * Runs `compute`, which must leave its results undisposed, and nothing else. The peak is of what TF.js
 * has taken of its pool, above inputs and results.
 */
export function peakOf(compute: () => tf.Tensor[]): {results: tf.Tensor[]; peakMiB: number} {
  const {bufferManager, textureManager} = tf.backend() as unknown as Record<string, Pool>;
  const pool = bufferManager ?? textureManager;
  const used = () => pool.numBytesUsed ?? pool.numBytesAllocated - pool.numBytesFree;
  const acquire = bufferManager ? 'acquireBuffer' : 'acquireTexture';
  const before = used();
  let most = before;
  const original = pool[acquire];
  pool[acquire] = (...args) => {
    const taken = original.apply(pool, args);
    most = Math.max(most, used());
    return taken;
  };
  try {
    const results = compute();
    const own = results.reduce((sum, {size}) => sum + 4 * size, 0);
    return {results, peakMiB: Math.max(0, most - before - own) / MIB};
  } finally {
    pool[acquire] = original;
  }
}
