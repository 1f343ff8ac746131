/**
 * Our own textures: four float32 in a texel, as their bits in unsigned integers. Those can be drawn
 * to wherever there is WebGL2, also where floats can only be drawn with 16 bits.
 */
import {refuse} from '../../src/check/errors';
import {Folded, Grid, fold} from './layout';

/** A grid in a texture. */
export interface Cells extends Folded {
  grid: Grid;
  texture: WebGLTexture;
}

const BYTES_OF_TEXEL = 16;
/** What stays allocated for the calls that follow. */
const MOST_KEPT_BYTES = 2 ** 27;

export function bytesOf({width, height}: Folded, {layers}: Grid): number {
  return width * height * layers * BYTES_OF_TEXEL;
}

/** The textures of one context. */
export class Textures {
  /** Not in use, the one used longest ago first. */
  private readonly free: Cells[] = [];

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly maxSize: number,
  ) {}

  /** A texture that nobody uses; what it holds is anything. */
  take(grid: Grid): Cells {
    const folded = fold(grid, this.maxSize);
    const {width, height} = folded;
    const at = this.free.findIndex(
      (one) => one.width === width && one.height === height && one.grid.layers === grid.layers,
    );
    if (at >= 0) return {...this.free.splice(at, 1)[0], grid};
    return {grid, texture: this.make(folded, grid), width, height};
  }

  private make(folded: Folded, grid: Grid): WebGLTexture {
    const {gl} = this;
    while (gl.getError() !== gl.NO_ERROR); // those of others
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, texture);
    const {width, height} = folded;
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, gl.RGBA32UI, width, height, grid.layers);
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, null);
    if (gl.getError() === gl.NO_ERROR) return texture;
    gl.deleteTexture(texture);
    const mebibytes = (bytesOf(folded, grid) / 2 ** 20).toFixed(1);
    refuse(
      'localAttention',
      `the device has no room for a texture of ${mebibytes} MiB; attend to fewer heads or tokens at a time`,
    );
  }

  give(cells: Cells): void {
    this.free.push(cells);
  }

  /** Lets go of what is more than to be kept. */
  trim(): void {
    let bytes = this.free.reduce((sum, one) => sum + bytesOf(one, one.grid), 0);
    while (bytes > MOST_KEPT_BYTES) {
      const oldest = this.free.shift()!;
      this.gl.deleteTexture(oldest.texture);
      bytes -= bytesOf(oldest, oldest.grid);
    }
  }
}
