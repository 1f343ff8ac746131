/** TF.js's tensors: how shaders read them, and how they are written. */
import type {TensorInfo} from '@tensorflow/tfjs';

import type {WebGLBackend} from './backend';

/** A tensor as the last two of its axes, for a shader. */
export interface Readable {
  texture: WebGLTexture;
  packed: boolean;
  uniforms: Record<'Rows' | 'Columns' | 'Offset', number>;
}

/**
 * How a shader reads a tensor. It lies as a list in a texture of any width, 2 × 2 neighbours in a texel
 * if it is packed: `NAMEIndex` is the place of a number in the list, and `NAMEPlace` that in the texture.
 * `NAMEFour` gives four columns of a row, zeros beyond `end`, and moves on to the next four.
 */
export function reader(name: string): string {
  const text = `
uniform int xRows, xColumns, xOffset;

ivec2 xPlace(int index) {
  int width = textureSize(x, 0).x;
  int row = index / width;
  return ivec2(index - row * width, row);
}

ivec2 xNext(ivec2 at) {
  return at.x + 1 < textureSize(x, 0).x ? at + ivec2(1, 0) : ivec2(0, at.y + 1);
}

#if X_PACKED
int xIndex(int batch, int row, int column) {
  return (batch * ((xRows + 1) >> 1) + (row >> 1)) * ((xColumns + 1) >> 1) + (column >> 1);
}

float xAt(int batch, int row, int column) {
  vec4 found = texelFetch(x, xPlace(xIndex(batch, row, column)), 0);
  return found[(row & 1) * 2 + (column & 1)];
}

vec2 xPair(ivec2 at, int row) {
  vec4 found = texelFetch(x, at, 0);
  return (row & 1) == 0 ? found.xy : found.zw;
}

vec4 xFour(inout ivec2 at, int row, int column, int end) {
  ivec2 far = xNext(at);
  vec4 found = vec4(xPair(at, row), xPair(far, row));
  at = xNext(far);
#if ODD_HALF
  if ((column & 1) == 1) found = vec4(found.yzw, xPair(at, row).x);
#endif
  return mix(vec4(0), found, lessThan(ivec4(0, 1, 2, 3) + column, ivec4(end)));
}
#else
int xIndex(int batch, int row, int column) {
  return xOffset + (batch * xRows + row) * xColumns + column;
}

float xAt(int batch, int row, int column) {
  return texelFetch(x, xPlace(xIndex(batch, row, column)), 0).x;
}

vec4 xFour(inout ivec2 at, int row, int column, int end) {
  vec4 found;
  found.x = texelFetch(x, at, 0).x;
  at = xNext(at);
  found.y = texelFetch(x, at, 0).x;
  at = xNext(at);
  found.z = texelFetch(x, at, 0).x;
  at = xNext(at);
  found.w = texelFetch(x, at, 0).x;
  at = xNext(at);
  return mix(vec4(0), found, lessThan(ivec4(0, 1, 2, 3) + column, ivec4(end)));
}
#endif
`;
  const named = text.replace(/(?<!\.)\bx(?=\b|[A-Z])/g, name);
  return named.replace(/X_PACKED/g, `${name.toUpperCase()}_PACKED`);
}

export function readable(backend: WebGLBackend, {dataId, shape}: TensorInfo): Readable {
  backend.uploadToGPU(dataId);
  const {texture, isPacked, slice} = backend.texData.get(dataId);
  const [rows, columns] = shape.length < 2 ? [1, shape[0] ?? 1] : shape.slice(-2);
  return {
    texture: texture!.texture,
    packed: isPacked,
    uniforms: {Rows: rows, Columns: columns, Offset: slice?.flatOffset ?? 0},
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

// of four channels, the two from channel c on
vec2 halfOf(vec4 four, int c) {
  return (c & 2) == 0 ? four.xy : four.zw;
}
`;

/** Sets the texel of a tensor of `tokens` rows from `pair`(batch, row, column), two columns of a row. */
export function texelOf(columns: string, pair = 'pairAt'): string {
  return `
  ivec3 at = packedAt(tokens, ${columns});
  texel.xy = ${pair}(at.x, at.y, at.z);
  texel.zw = at.y + 1 < tokens ? ${pair}(at.x, at.y + 1, at.z) : vec2(0);`;
}
