/**
 * Tables of angles as textures. Texels of four cosines and of four sines take turns; the last four of a
 * row may be filled up with zeros.
 */
import {KeptTables} from '../../src/attention/kept_tables';

export class Tables {
  private readonly kept = new KeptTables<WebGLTexture>((texture) => this.gl.deleteTexture(texture));

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly maxSize: number,
  ) {}

  textureOf(angles: Float32Array, headDim: number): WebGLTexture {
    const texture = this.kept.of(angles) ?? this.upload(angles, headDim);
    this.kept.keep(angles, texture);
    return texture;
  }

  private upload(angles: Float32Array, headDim: number): WebGLTexture {
    const half = headDim / 2;
    const fours = Math.ceil(half / 4);
    const rows = angles.length / headDim;
    const texels = 2 * fours * rows;
    const width = Math.min(texels, this.maxSize);
    const height = Math.ceil(texels / width);
    const values = new Float32Array(4 * width * height);
    for (let row = 0; row < rows; row++) {
      for (let m = 0; m < half; m++) {
        const to = 8 * (row * fours + (m >> 2)) + (m & 3);
        values[to] = angles[row * headDim + m];
        values[to + 4] = angles[row * headDim + half + m];
      }
    }
    const {gl} = this;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, width, height, 0, gl.RGBA, gl.FLOAT, values);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.bindTexture(gl.TEXTURE_2D, null);
    return texture;
  }
}
