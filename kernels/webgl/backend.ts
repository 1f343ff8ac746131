/** What we use of TF.js's MathBackendWebGL; its own type would need the package. */
import type {TensorInfo} from '@tensorflow/tfjs';

/** A tensor's texture. Where there is none yet, `uploadToGPU` makes it. */
export interface TextureData {
  texture: {texture: WebGLTexture} | null;
  /** Of the values: the texture of a packed tensor has half as many texels each way. */
  texShape: [height: number, width: number] | null;
  /** Four neighbours, 2 × 2, in a texel, instead of one value. */
  isPacked: boolean;
  /** Where the tensor begins in the texture of another. */
  slice?: {flatOffset: number};
}

export interface WebGLBackend {
  gpgpu: {gl: WebGL2RenderingContext};
  texData: {get(id: object): TextureData};
  makeTensorInfo(shape: number[], dtype: 'float32'): TensorInfo;
  uploadToGPU(id: object): void;
  disposeData(id: object): boolean;
}
