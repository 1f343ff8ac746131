/** Results as TF.js's tensors: 2 × 2 numbers in a texel. */
import {QUERIES, TILES} from '../pieces';
import type {Pass} from '../program';
import {PACKED} from '../tensors';

/** What is mixed for queries, as it is: [..., n, dv] */
export const output: Pass = {
  name: 'output',
  cells: ['mixes'],
  tensors: [],
  tables: [],
  uniforms: [],
  options: [],
  pieces: [
    TILES,
    QUERIES,
    PACKED,
    `
vec2 pairAt(int head, int i, int c) {
  ivec4 place = placeOf(head, i);
  vec4 found = mixedAt(mixes, mixesGrid, place.y, place.z, c / 4);
  return (c & 2) == 0 ? found.xy : found.zw;
}
`,
  ],
  main: `
  ivec3 at = packedAt(tokens, valueDim);
  texel.xy = pairAt(at.x, at.y, at.z);
  texel.zw = at.y + 1 < tokens ? pairAt(at.x, at.y + 1, at.z) : vec2(0);`,
  results: null,
};

/** [batch, heads, n, 2] */
export const statisticsOutput: Pass = {
  name: 'output of statistics',
  cells: ['statistics'],
  tensors: [],
  tables: [],
  uniforms: [],
  options: [],
  pieces: [
    TILES,
    QUERIES,
    PACKED,
    `
vec2 pairAt(int head, int i) {
  ivec4 place = placeOf(head, i);
  ivec2 at = cell(place.y, 0, statisticsGrid);
  return vec2(four(statistics, at, 0)[place.z], four(statistics, at, 1)[place.z]);
}
`,
  ],
  main: `
  ivec3 at = packedAt(tokens, 2);
  texel.xy = pairAt(at.x, at.y);
  texel.zw = at.y + 1 < tokens ? pairAt(at.x, at.y + 1) : vec2(0);`,
  results: null,
};
