/** TF.js's tensors: how shaders read them, and how they are written. */
import type {TensorInfo} from '@tensorflow/tfjs';

import type {WebGLBackend} from './backend';

/** A tensor as the last two of its axes, for a shader. */
export interface Readable {
  texture: WebGLTexture;
  uniforms: Record<'Rows' | 'Columns' | 'Packed' | 'Offset', number>;
}

/**
 * \`NAMEAt(batch, row, column)\`, and \`NAMEFour\`: the same of four columns, zeros beyond \`end\`. A tensor lies
 * as a list in a texture of any width, four neighbours to a texel if it is packed.
 */
export function reader(name: string): string {
  return `
uniform int ${name}Rows, ${name}Columns, ${name}Packed, ${name}Offset;

vec4 ${name}Texel(int index) {
  int width = textureSize(${name}, 0).x;
  return texelFetch(${name}, ivec2(index % width, index / width), 0);
}

int ${name}Index(int batch, int row, int column) {
  if (${name}Packed == 0) return ${name}Offset + (batch * ${name}Rows + row) * ${name}Columns + column;
  return (batch * ((${name}Rows + 1) / 2) + row / 2) * ((${name}Columns + 1) / 2) + column / 2;
}

float ${name}At(int batch, int row, int column) {
  vec4 found = ${name}Texel(${name}Index(batch, row, column));
  return ${name}Packed == 0 ? found.x : found[(row & 1) * 2 + (column & 1)];
}

vec4 ${name}Four(int batch, int row, int column, int end) {
  vec4 found;
  if (${name}Packed != 0 && (column & 1) == 0) {
    int index = ${name}Index(batch, row, column);
    vec4 near = ${name}Texel(index);
    vec4 far = ${name}Texel(index + 1);
    found = (row & 1) == 0 ? vec4(near.xy, far.xy) : vec4(near.zw, far.zw);
  } else {
    for (int c = 0; c < 4; c++) found[c] = ${name}At(batch, row, min(column + c, end - 1));
  }
  return mix(vec4(0), found, lessThan(ivec4(0, 1, 2, 3) + column, ivec4(end)));
}
`;
}

export function readable(backend: WebGLBackend, {dataId, shape}: TensorInfo): Readable {
  backend.uploadToGPU(dataId);
  const {texture, isPacked, slice} = backend.texData.get(dataId);
  const [rows, columns] = shape.length < 2 ? [1, shape[0] ?? 1] : shape.slice(-2);
  return {
    texture: texture!.texture,
    uniforms: {Rows: rows, Columns: columns, Packed: +isPacked, Offset: slice?.flatOffset ?? 0},
  };
}

/** A tensor to be drawn, packed; and the size of its texture. */
export function makeTensor(backend: WebGLBackend, shape: number[]): TensorInfo {
  const info = backend.makeTensorInfo(shape, 'float32');
  backend.texData.get(info.dataId).isPacked = true;
  backend.uploadToGPU(info.dataId);
  return info;
}

/** The batch entry (x), row (y) and column (z) where the texel of a packed tensor begins. */
export const PACKED = `
ivec3 packedAt(int rows, int columns) {
  int index = int(gl_FragCoord.y) * grid.x + int(gl_FragCoord.x);
  int across = (columns + 1) / 2;
  int down = (rows + 1) / 2;
  int row = index / across;
  return ivec3(row / down, 2 * (row % down), 2 * (index % across));
}
`;
