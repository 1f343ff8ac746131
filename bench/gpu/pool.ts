import * as tf from '@tensorflow/tfjs';

const MIB = 2 ** 20;

/** What is used of TF.js's pools: buffers of webgpu, textures of webgl. */
type Pool = Record<string, (...args: unknown[]) => unknown> & {
  numBytesUsed?: number; // of the buffers in use
  numBytesAllocated: number;
  numBytesFree: number;
};

/** What is used of its backends. */
interface Backend {
  bufferManager?: Pool;
  textureManager: Pool;
  gpgpu?: {gl: WebGL2RenderingContext};
}

const BYTES_OF_TEXEL = 16;

/**
 * Runs `compute`, which must leave its results undisposed, and nothing else. The peak is of what TF.js
 * has taken of its pool, above inputs and results, and of all textures that our kernels made besides
 * (array textures, of which TF.js makes none): in a first call, because they keep them for the next.
 */
export function peakOf(compute: () => tf.Tensor[]): {results: tf.Tensor[]; peakMiB: number} {
  const {bufferManager, textureManager, gpgpu} = tf.backend() as unknown as Backend;
  const pool = bufferManager ?? textureManager;
  const used = () => pool.numBytesUsed ?? pool.numBytesAllocated - pool.numBytesFree;
  const acquire = bufferManager ? 'acquireBuffer' : 'acquireTexture';
  const before = used();
  let most = before;
  let separate = 0;
  const original = pool[acquire];
  pool[acquire] = (...args) => {
    const taken = original.apply(pool, args);
    most = Math.max(most, used());
    return taken;
  };
  const {gl} = gpgpu ?? {};
  if (gl) {
    gl.texStorage3D = (...args) => {
      const [, , , width, height, layers] = args;
      separate += width * height * layers * BYTES_OF_TEXEL;
      WebGL2RenderingContext.prototype.texStorage3D.apply(gl, args);
    };
  }
  try {
    const results = compute();
    const own = results.reduce((sum, {size}) => sum + 4 * size, 0);
    return {results, peakMiB: (Math.max(0, most - before - own) + separate) / MIB};
  } finally {
    pool[acquire] = original;
    if (gl) Reflect.deleteProperty(gl, 'texStorage3D');
  }
}
