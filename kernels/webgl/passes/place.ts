/**
 * Rows of tensors as the other passes read them: four channels in a texel, queries scaled, queries and
 * keys rotated, keys normalised if they are shared, zeros for what does not exist or is masked.
 *
 * Rotated rows have their two halves one after the other, each filled up to whole texels, so that
 * channels that are rotated together lie in texels of their own.
 */
import {ANGLES, TILES} from '../pieces';
import type {Pass} from '../program';
import {reader} from '../tensors';

/** Texel \`quad\` of a row of \`x\`, as a query and a key have it. */
const ROTATED = `
vec4 rotated(int head, int token, int quad, int row, float factor) {
  if (!rotary) return factor * xFour(head, token, 4 * quad, headDim);
  int half_ = headDim / 2;
  int fours = keyQuads / 2;
  int m = quad % fours;
  vec4 first = factor * xFour(head, token, 4 * m, half_);
  vec4 second = factor * xFour(head, token, half_ + 4 * m, headDim);
  Turn turn = turnAt(row, m);
  return quad < fours
    ? first * turn.cosine - second * turn.sine
    : second * turn.cosine + first * turn.sine;
}
`;

/** q, or what is upstream of the output (\`plain\`), by rows of tiles. */
export const placeQueries: Pass = {
  name: 'place queries',
  cells: [],
  tensors: ['x', 'angles'],
  uniforms: ['plain'],
  pieces: [reader('x'), TILES, ANGLES, ROTATED],
  main: `
  ivec2 at = here();
  int strip = at.x / (4 * tiles);
  int group = strip % groups;
  int i = group * groupLength + at.x - strip * 4 * tiles;
  vec4 found = vec4(0);
  if (i < min(tokens, (group + 1) * groupLength)) {
    int head = strip / groups;
    found = plain != 0
      ? xFour(head, i, 4 * at.y, valueDim)
      : rotated(head, i, at.y, i - originOf(group), scale);
  }`,
  results: ['found'],
};

/** k, with a texel more that says whether the key exists; or v (\`plain\`), without. */
export const placeKeys: Pass = {
  name: 'place keys',
  cells: ['norms'],
  tensors: ['x', 'angles', 'mask'],
  uniforms: ['plain'],
  pieces: [reader('x'), reader('mask'), TILES, ANGLES, ROTATED],
  main: `
  ivec2 at = here();
  int strip = at.x / keyRows;
  int head = strip / groups;
  int origin = originOf(strip - head * groups);
  int j = origin + at.x - strip * keyRows;
  vec4 found = vec4(0);
  if (j < tokens && (!masked || maskAt(0, head * masks / heads, j) != 0.0)) {
    if (plain != 0) found = xFour(head, j, 4 * at.y, valueDim);
    else if (at.y == keyQuads) found = vec4(1);
    else found = rotated(head, j, at.y, j - origin, sharedQk ? four(norms, cell(at.x, 0, normsGrid), 0).x : 1.0);
  }`,
  results: ['found'],
};

/** 1 / max(‖k‖, 1e-12) of each key. */
export const norms: Pass = {
  name: 'norms',
  cells: [],
  tensors: ['x'],
  uniforms: [],
  pieces: [reader('x'), TILES],
  main: `
  int row = here().x;
  int strip = row / keyRows;
  int head = strip / groups;
  int j = originOf(strip - head * groups) + row - strip * keyRows;
  float square = 0.0;
  if (j < tokens) {
    for (int c = 0; c < headDim; c += 4) {
      vec4 found = xFour(head, j, c, headDim);
      square += dot(found, found);
    }
  }`,
  results: ['vec4(1.0 / sqrt(max(square, 1e-24)))'],
};
