/** dbias [h, w, C]: dS, added up over batch and windows, and over chunks of tiles by what was `before`. */
import {QUERIES, TILES} from '../pieces';
import {pass} from '../program';
import {PACKED} from '../tensors';

export const biasGradient = pass({
  name: 'gradient of the bias',
  cells: ['slopes'],
  tables: ['before'],
  uniforms: ['firstTile', 'endTile'],
  pieces: [
    TILES,
    QUERIES,
    PACKED,
    `
float slopeAt(int head, int i, int j) {
  ivec4 place = placeOf(head, i);
  if (place.y < firstTile || place.y >= endTile) return 0.0;
  int base = place.w + ((firstKey(i - place.z) - place.w) & ~(TARGETS - 1));
  ivec2 at = cell(place.y - firstTile, (j - base) / TARGETS, slopesGrid);
  return four(slopes, at, (j - base) % TARGETS)[place.z];
}

float sumAt(int table, int row, int slot) {
  float sum = 0.0;
  for (int head = table; head < heads; head += biasHeads) {
    for (int i = row; i < tokens; i += windowSize) {
      int j = (i / windowSize - lookBackward) * windowSize + slot;
      if (j >= firstKey(i) && j < endKey(i)) sum += slopeAt(head, i, j);
    }
  }
  return sum;
}
`,
  ],
  main: `
  ivec3 at = packedAt(windowSize, context);
  bvec2 more = bvec2(at.y + 1 < windowSize, at.z + 1 < context);
  texel = firstTile > 0 ? texelFetch(before, ivec2(gl_FragCoord.xy), 0) : vec4(0);
  texel.x += sumAt(at.x, at.y, at.z);
  if (more.y) texel.y += sumAt(at.x, at.y, at.z + 1);
  if (more.x) texel.z += sumAt(at.x, at.y + 1, at.z);
  if (more.x && more.y) texel.w += sumAt(at.x, at.y + 1, at.z + 1);`,
  results: null,
});
